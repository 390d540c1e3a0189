"""Scripts from the disk, held against the hash that was recorded of them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from runbooks.session.events import Applied, Script

FILE = "migration.sql"


class WrongBytes(Exception):
    """The file is not there, or its bytes are not those of the plan. For a person to read."""


@dataclass(frozen=True, slots=True)
class Read:
    """The text of a script. `edited`: it is not what was applied, in words."""

    text: str
    edited: str = ""


def read_pending(folder: Path, script: Script) -> Read:
    """A pending script as the session folder keeps it. Raises WrongBytes."""
    if not script.sha256:
        raise WrongBytes(f"There is no {FILE} in its folder.")
    try:
        data = (folder / "scripts" / f"{script.sha256}.sql").read_bytes()
    except OSError as error:
        raise WrongBytes(f"The session folder does not have this script: {error.strerror}.") from None
    text = data.decode("utf-8", errors="replace")
    replaced = "\ufffd" in text
    wanted = script.copy_sha256 or script.sha256
    if (found := _hash(text.encode() if replaced else data)) != wanted:
        raise WrongBytes(f"These are not the bytes of the plan: SHA-256 {found[:12]}… instead of {wanted[:12]}….")
    return Read(text)


def read_applied(migrations: Path, applied: Applied) -> Read:
    """What the migrations folder has of an applied script, whether it is still the same or not. Raises WrongBytes."""
    if applied.migration in ("", ".", "..") or {"/", "\0"} & set(applied.migration):
        raise WrongBytes("Its name is not that of a folder.")
    try:
        data = (migrations / applied.migration / FILE).read_bytes()
    except OSError as error:
        raise WrongBytes(f"The migrations folder does not have this script: {error.strerror}.") from None
    text = data.decode("utf-8", errors="replace")
    other_line_ends = (text.replace("\r\n", "\n"), text.replace("\n", "\r\n"))
    if any(_hash(form.encode()) == applied.sha256 for form in (text, *other_line_ends)):
        return Read(text)
    now, then = _hash(text.encode())[:12], applied.sha256[:12]
    return Read(text, edited=f"edited since it was applied: SHA-256 {now}… now, {then}… in the ledger")


def _hash(text: bytes) -> str:
    """As the ledger has it: of the text, with what is not UTF-8 replaced."""
    return hashlib.sha256(text).hexdigest()
