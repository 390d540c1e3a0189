"""Where a throw-away server lives: its lock, its user, a short path for its socket, programs that it may read."""

import asyncio
import contextlib
import fcntl
import os
import pwd
import random
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil

from migrations.problem import Unavailable
from migrations.process import capture, whole

PORT = 5432
PATIENCE = 60.0  # seconds: for crash recovery, and for a server of before to let go of the folder
PLACE = "gonogo-"
PROGRAMS = ("postgres", "initdb")
ENVIRONMENT = {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"}
SOCKET_PATH_LIMIT = 100  # bytes; Linux takes 107, macOS 103
FREE_UIDS = range(52_000, 60_000)


@contextlib.asynccontextmanager
async def locked(path: Path) -> AsyncIterator[int]:
    """Lock the folder. The server inherits the lock, and so holds it until its last process has ended."""
    with path.open("ab") as file:
        try:
            async with asyncio.timeout(PATIENCE):
                while not _lock(file.fileno()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise Unavailable(
                f"Another server still runs in {path.parent}.", advice="End the program that started it, and try again."
            ) from None
        yield file.fileno()


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def named(data: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What to call a data folder, and the numbers to pass on for it.

    As root the server's uid may not be able to walk to the folder, but it can enter one that it was handed open.
    (PostgreSQL below 16 goes back to the folder that it started in, by name: so that one cannot be the data folder.)
    """
    if os.geteuid() == 0 and sys.platform == "linux":
        number = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{number}", (number,)
        finally:
            os.close(number)
    else:
        yield str(data), ()


def make_folder(path: Path, user: int | None) -> None:
    path.mkdir(mode=0o700)
    if user is not None:
        os.chown(path, user, user)


def give(folder: Path, user: int) -> None:
    """Make all of a folder belong to a uid."""
    for parent, _, files in os.walk(folder):
        os.chown(parent, user, user)
        for name in files:
            os.chown(Path(parent) / name, user, user, follow_symlinks=False)


def server_user(data: Path) -> int:
    """The uid that the data belong to, or a new one that nobody has and nothing runs under."""
    if data.is_dir() and data.stat().st_uid != 0:
        return data.stat().st_uid
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    taken |= {process.info["uids"].real for process in psutil.process_iter(["uids"]) if process.info["uids"]}
    return random.choice([uid for uid in FREE_UIDS if uid not in taken])


def initdb_user() -> int:
    """A uid with a passwd entry, without which initdb does not run."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        others = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0]
        if not others:
            raise Unavailable("PostgreSQL refuses to run as root, and there is no other user here.") from None
        return others[-1]


def new_place(note: Path, user: int | None) -> Path:
    """A new folder with a short path, for the socket; the one of last time, noted in a file, if its name is free."""
    place = _place_again(note)
    if place is None:
        place = Path(tempfile.mkdtemp(prefix=PLACE, dir=_short_folder(user)))
        note.write_text(str(place))
    if user is not None:
        place.chmod(0o711)
    return place


def _place_again(note: Path) -> Path | None:
    with contextlib.suppress(OSError):
        place = Path(note.read_text())
        if place.is_absolute() and re.fullmatch(PLACE + r"\w{8}", place.name):
            if place.exists() and not place.is_symlink() and place.stat().st_uid == os.geteuid():
                shutil.rmtree(place)  # left behind by a watchdog that was killed
            place.mkdir(mode=0o700)
            return place
    return None


def _short_folder(user: int | None) -> Path:
    own = [] if user is not None else [os.environ.get("XDG_RUNTIME_DIR", "")]
    for name in (*own, "/tmp", tempfile.gettempdir(), "/var/tmp"):
        folder = Path(name)
        fits = len(os.fsencode(folder / f"{PLACE}12345678/s" / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT
        if name and fits and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise Unavailable(
        "There is no folder for the server's socket.", advice="Make /tmp writable, or set XDG_RUNTIME_DIR."
    )


async def usable(bin: Path, place: Path, user: int | None) -> Path:
    """The programs, or a copy of them where the uid that they are to run under cannot reach them."""
    if user is None:
        return bin
    try:
        await capture([str(bin / "postgres"), "--version"], env=ENVIRONMENT, user=user)
        return bin
    except Unavailable:
        return await whole(_copy, bin, place / "pg")


def _copy(bin: Path, to: Path) -> Path:
    """Copy what the server needs; a wheel's shared libraries lie beside its package, and are found by that way."""
    install = bin.parent
    package = install.parent
    copy = to / package.name / install.name
    for name in ("lib", "share"):
        shutil.copytree(install / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name, symlinks=True)
    (copy / "bin").mkdir()
    for program in PROGRAMS:
        shutil.copy(bin / program, copy / "bin")
    for parent, _, files in os.walk(to):
        Path(parent).chmod(0o755)
        for file in (Path(parent) / name for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    return copy / "bin"
