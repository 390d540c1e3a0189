"""The reviewed scripts of a session, as they lie in its folder."""

from pathlib import Path

from migrations.problem import Problem
from runbooks.events import Script

CHANGED = "The session folder was changed from outside: end this session."


def kept_bytes(folder: Path, sha256: str, name: str) -> bytes:
    """What was kept under a hash, in the session's `folder`; `name` is for the error. Blocks. Raises Problem."""
    try:
        return (folder / "scripts" / f"{sha256}.sql").read_bytes()
    except OSError as error:
        gone = isinstance(error, FileNotFoundError)
        why = "it is gone from the session's folder" if gone else error.strerror
        raise Problem(f"The reviewed text of {name} cannot be read: {why}.", advice=CHANGED) from None


def kept_text(folder: Path, script: Script) -> str:
    """A script's text. Blocks. Raises Problem."""
    return kept_bytes(folder, script.sha256, script.migration).decode("utf-8", "replace")
