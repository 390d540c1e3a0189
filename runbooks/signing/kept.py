"""The signatures of a session: pairs of files in its folder, which stock ssh-keygen can check."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrations.listed import many
from migrations.problem import Problem, Unavailable
from runbooks.journal.artefacts import make_folder, write_private
from runbooks.journal.files import open_to_read
from runbooks.signing.signed_head import SignedHead
from runbooks.signing.sshsig import LONGEST, Signature

FOLDER = "signatures"
MOST = 1_000
"""So many signatures of one session are looked at."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A pair of files: the text, and its signature."""

    name: str
    text: bytes
    armour: str


def keep(folder: Path, head: SignedHead, signature: Signature) -> tuple[Path, Path]:
    """Write the text and its signature into a session's folder, beside what is there. Raises Unavailable."""
    place = folder / FOLDER
    try:
        make_folder(place)
    except OSError as error:
        raise Unavailable(f"{place} cannot be made: {error.strerror}.") from None
    name, number = head.name, 1
    while (place / f"{name}.sig").exists():
        number += 1
        name = f"{head.name}-{number}"
    text, armour = place / f"{name}.txt", place / f"{name}.sig"
    write_private(text, head.text())
    write_private(armour, signature.armour.encode())
    return text, armour


def kept(folder: Path) -> Iterator[Kept | Problem]:
    """The signatures of a session in the order of their records, or why one cannot be read."""
    try:
        names = sorted(entry.stem for entry in (folder / FOLDER).iterdir() if entry.suffix == ".sig")
    except FileNotFoundError:
        return
    except OSError as error:
        yield Unavailable(f"{folder / FOLDER} cannot be read: {error.strerror}.")
        return
    for stem in names[:MOST]:
        try:
            text, armour = (_read(folder / FOLDER / f"{stem}.{ending}") for ending in ("txt", "sig"))
            yield Kept(stem, text, armour.decode("ascii", "replace"))
        except Problem as problem:
            yield problem
    if len(names) > MOST:
        yield Problem(f"{folder / FOLDER} holds {many(len(names), 'signature')}; {MOST} of them were looked at.")


def _read(path: Path) -> bytes:
    with os.fdopen(open_to_read(path), "rb") as file:
        return file.read(LONGEST + 1)
