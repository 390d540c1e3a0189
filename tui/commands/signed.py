"""Signing sessions: the option of the commands that begin one, and what is said of it at the end."""

import os
from pathlib import Path

import click

from migrations.problem import Misuse
from runbooks.host.peers import account_of
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


def signing_again(key: Path | None, folder: Path) -> Signing | None:
    """The same for a session that is taken up. Raises Misuse: another account's runner signs with no key of ours."""
    if (owner := folder.lstat().st_uid) == os.geteuid():
        return signing_with(key)
    if key is not None:
        raise Misuse(
            f"{folder.name} belongs to {account_of(owner)}, and its runner signs only with keys of that account.",
            advice="Leave --sign out: who takes the pen is recorded by the account that the kernel names.",
        )
    return None


def end_signed(folder: Path, view: RunView) -> str:
    """Whether the end of a session that was to be signed is; empty if it was not to be."""
    if SIGNING not in view.steps:
        return ""
    path = folder / FOLDER / f"{view.seq:06d}-end.sig"
    if path.exists():
        return f"Signed {path}"
    return f"The end is not signed. Sign it with: gonogo transcript sign {folder.name} --key KEY"
