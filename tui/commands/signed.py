"""Signing sessions: the option of the commands that begin one, and what is said of it at the end."""

import os
from pathlib import Path

import click

from runbooks.session.events import SIGNING
from runbooks.session.view import RunView
from runbooks.signing import ready
from runbooks.signing.kept import FOLDER
from runbooks.signing.signatory import Signing

VARIABLE = "GONOGO_SIGN"

sign_option = click.option(
    "--sign",
    "key",
    type=click.Path(path_type=Path),
    metavar="KEY",
    help=f"Sign the record with this SSH key, or with your agent's where KEY is a .pub; else {VARIABLE}.",
)


def signing_with(key: Path | None) -> Signing | None:
    """What a session is signed with. The key is tried first. Raises Misuse, Unavailable."""
    if key is None and not os.environ.get(VARIABLE):
        return None
    path = (key or Path(os.environ[VARIABLE])).expanduser().absolute()
    ready(path)
    return Signing(key=str(path))


def end_signed(folder: Path, view: RunView) -> str:
    """Whether the end of a session that was to be signed is; empty if it was not to be."""
    if SIGNING not in view.steps:
        return ""
    path = folder / FOLDER / f"{view.seq:06d}-end.sig"
    if path.exists():
        return f"Signed {path}"
    return f"The end is not signed. Sign it with: gonogo transcript sign {folder.name} --key KEY"
