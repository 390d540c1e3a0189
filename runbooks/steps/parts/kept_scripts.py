"""The reviewed scripts of a session: from its folder, or from the project where the copy lacks secrets."""

import hashlib
from pathlib import Path

from migrations.folder import SCRIPT, VERIFY
from migrations.problem import Problem
from runbooks.session.events import Script, Verify
from runbooks.steps.base import Context

CHANGED = "The session folder was changed from outside: end this session."
EDITED = "Put the reviewed text back and start the step again, or end this session and review it anew."


def script_bytes(ctx: Context, script: Script) -> bytes:
    """What was reviewed, byte for byte. Blocks. Raises Problem."""
    return _reviewed(ctx, script, ctx.project.migrations / script.migration / SCRIPT, script.migration)


def script_text(ctx: Context, script: Script) -> str:
    """The same as text. Blocks. Raises Problem."""
    return script_bytes(ctx, script).decode("utf-8", "replace")


def reviewed_text(ctx: Context, script: Script, path: Path) -> str:
    """The same of a script whose file is elsewhere. Blocks. Raises Problem."""
    return _reviewed(ctx, script, path, script.migration).decode("utf-8", "replace")


def verify_bytes(ctx: Context, script: Script) -> bytes:
    """What was reviewed of the verify.sql beside a script that has one. Blocks. Raises Problem."""
    assert script.verify is not None
    path = ctx.project.migrations / script.migration / VERIFY
    return _reviewed(ctx, script.verify, path, f"{script.migration}/{VERIFY}")


def copy_of(scripts: Path, wanted: Script | Verify) -> bytes | None:
    """The copy in a session's folder `scripts`; None if it is not the one that was recorded. Raises OSError."""
    try:
        data = (scripts / f"{wanted.sha256}.sql").read_bytes()
    except FileNotFoundError:
        return None
    return data if _is(data, wanted.copy_sha256 or wanted.sha256) else None


def _reviewed(ctx: Context, wanted: Script | Verify, path: Path, name: str) -> bytes:
    scripts = ctx.folder / "scripts"
    try:
        copy = copy_of(scripts, wanted)
    except OSError as error:
        raise Problem(f"The reviewed text of {name} cannot be read: {error.strerror}.", advice=CHANGED) from None
    if copy is None:
        there = (scripts / f"{wanted.sha256}.sql").exists()
        why = "is not what was reviewed" if there else "cannot be read: it is gone"
        raise Problem(f"The session's copy of {name} {why}.", advice=CHANGED)
    if not wanted.copy_sha256:
        return copy
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"{name} cannot be read: {error.strerror}. The session's copy lacks its secrets"
        raise Problem(f"{what}.", advice=EDITED) from None
    if not _is(data, wanted.sha256):
        raise Problem(f"{name} was edited after it was reviewed; it was not run.", advice=EDITED)
    return data


def _is(data: bytes, sha256: str) -> bool:
    """As it is, or as Prisma reads it: with U+FFFD for what is not UTF-8."""
    forms = (data, data.decode("utf-8", errors="replace").encode())
    return any(hashlib.sha256(form).hexdigest() == sha256 for form in forms)
