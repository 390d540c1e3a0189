"""Where a runner can be found: a socket in a short folder of its own, named in `runner.json` while it is there."""

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from migrations.problem import Unavailable
from migrations.process import started
from runbooks.faces.client import RUNNER_FILE, socket_path
from runbooks.host.sharing import SHARED, shared_with
from runbooks.journal.artefacts import write_private

LONGEST_ROOT = 60
"""107 bytes is the limit for a socket's whole path."""
PREFIX = "gonogo-"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(folder: Path, serve: Serve) -> AsyncIterator[None]:
    """Take connections for the session in `folder`, whose journal we hold. Raises Unavailable."""
    _clear_away(folder)
    place = _place(shared_with(folder))
    try:
        server = await asyncio.start_unix_server(serve, place / "s")
        try:
            (place / "s").chmod(0o600 if shared_with(folder) is None else 0o660)
            about = {"pid": os.getpid(), "started": started(os.getpid()), "socket": str(place / "s")}
            write_private(folder / RUNNER_FILE, json.dumps(about).encode())
            yield
        finally:
            server.close()
            (folder / RUNNER_FILE).unlink(missing_ok=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _place(gid: int | None) -> Path:
    """For this account alone; or, where a group shares the session, within its reach, and for it alone."""
    base = os.environ.get("XDG_RUNTIME_DIR", "") if gid is None else ""
    root = base if base and len(base) < LONGEST_ROOT and Path(base).is_dir() else "/tmp"
    try:
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        if gid is not None:
            os.chown(made, -1, gid)
            made.chmod(SHARED)
        return made
    except OSError as error:
        raise Unavailable(f"No socket can be made in {root}: {error.strerror}.", advice="Make room there.") from None


def _clear_away(folder: Path) -> None:
    """What a runner left that was killed."""
    with contextlib.suppress(Unavailable, OSError):
        socket = Path(socket_path(folder))
        if socket.parent.name.startswith(PREFIX):
            socket.unlink()
            socket.parent.rmdir()
