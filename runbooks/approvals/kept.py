"""The approvals in a session's folder: put there before its first record, and read by every runner of it."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from migrations.problem import Unavailable
from runbooks.approvals.approval_document import SUFFIX, Signed, read_approval
from runbooks.journal.artefacts import make_folder, write_private

FOLDER = "approvals"
MOST = 9


def keep(folder: Path, approvals: Iterable[Signed]) -> None:
    """Write them into a session's folder, numbered. Raises Unavailable."""
    for number, one in enumerate(approvals, 1):
        path = place_in(folder) / f"{number}-{one.name.removesuffix('.json')}.json"
        write_private(path, one.text)
        write_private(path.with_name(path.name + SUFFIX), one.signature.encode())


def kept(folder: Path) -> tuple[Path, ...]:
    """The files of the approvals that a session was given; the signature of each lies beside it."""
    return tuple(sorted((folder / FOLDER).glob("[0-9]-*.json")))


def read_kept(folder: Path) -> tuple[Signed, ...]:
    """The approvals themselves, by the names that they were given under. Raises Misuse if a file is not what it was."""
    return tuple(replace(read_approval(path), name=path.name.partition("-")[2]) for path in kept(folder))


def keep_signers(folder: Path, text: bytes) -> Path:
    """Write the file of signers beside them, as it was read; another one gets another name. Raises Unavailable."""
    path = place_in(folder) / "signers"
    if path.exists() and path.read_bytes() != text:
        path = path.with_name(f"signers-{sha256(text).hexdigest()[:16]}")
    write_private(path, text)
    return path


def place_in(folder: Path) -> Path:
    """The folder for them in a session's folder, made if it is not there. Raises Unavailable."""
    place = folder / FOLDER
    try:
        make_folder(place)
    except OSError as error:
        raise Unavailable(f"{place} cannot be made: {error.strerror}.") from None
    return place
