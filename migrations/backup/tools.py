"""Finding `pg_dump` and `pg_restore` that fit the server."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migrations.problem import Unavailable
from migrations.process import capture
from migrations.server.programs import program_folders

ARCHIVE_BREAK = 17
"""pg_restore before 17 cannot read the archives of pg_dump from 17 on, and servers before 17 do not know
`transaction_timeout`, which pg_restore sets from 17 on."""

RESTRICTING = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
"""The minor versions from which psql knows `\\restrict`; all from 18 on do."""


@dataclass(frozen=True, slots=True)
class Tools:
    """A `pg_dump` and the `pg_restore` beside it. `version` is theirs (`18.6`), `server_major` what they are for."""

    pg_dump: Path
    pg_restore: Path
    version: str
    major: int
    server_major: int

    @property
    def newer(self) -> bool:
        """They are of a newer major version than the server."""
        return self.major > self.server_major

    @property
    def restricts(self) -> bool:
        """psql knows `\\restrict`, after which a script cannot run programs of this machine."""
        minor = re.match(r"\d+\.(\d+)", self.version)
        since = RESTRICTING.get(self.major)
        return self.major >= 18 if since is None else minor is not None and int(minor[1]) >= since

    @property
    def upsets_old_servers(self) -> bool:
        """pg_restore sets a parameter that this server does not know; that one error is harmless."""
        return self.major >= ARCHIVE_BREAK > self.server_major

    @property
    def consequence(self) -> str:
        """What follows from the programs being newer than the server, in a sentence; empty if they are not."""
        if not self.newer:
            return ""
        if self.upsets_old_servers:
            return (
                f"Only pg_restore {ARCHIVE_BREAK} or newer reads this dump. Restored into PostgreSQL "
                f"{self.server_major}, it reports one error, about transaction_timeout, and ends with exit code 1, "
                "though everything is there."
            )
        return f"Keep pg_restore {self.major} at hand: that of PostgreSQL {self.server_major} may not read this dump."


async def tools(server_major: int, *, bin: Path | None = None, env: Mapping[str, str]) -> Tools:
    """The programs of the server's own major version, else the nearest newer ones.

    `bin` is the only folder that is looked at, if it is given; else every folder of PATH in `env`, then where
    packagers put them. Raises Unavailable if there are none, or only older ones.
    """
    folders = [bin] if bin else list(program_folders(env))
    found = [t for folder in folders if (t := await _look(folder, server_major, env)) is not None]
    fitting = [t for t in found if t.major >= server_major]
    if fitting:
        return min(fitting, key=lambda t: t.major)
    where = str(bin) if bin else "PATH and the usual folders"
    advice = (
        f"Install the PostgreSQL {server_major} client programs (Debian: postgresql-client-{server_major}, "
        f"Homebrew: postgresql@{server_major})."
    )
    if found:
        best = max(found, key=lambda t: t.major)
        raise Unavailable(
            f"{best.pg_dump} is version {best.version}, older than the server's {server_major}: "
            "it cannot dump a newer server.",
            advice=advice,
        )
    raise Unavailable(f"pg_dump and pg_restore were not found in {where}.", advice=advice)


async def _look(folder: Path, server_major: int, env: Mapping[str, str]) -> Tools | None:
    pg_dump, pg_restore = folder / "pg_dump", folder / "pg_restore"
    # Debian's wrapper picks another version for each connection; the real ones are looked at beside it.
    # os.access, as a folder of PATH may be closed to us: after `su` often another's home.
    usable = all(os.access(p, os.X_OK) and p.is_file() for p in (pg_dump, pg_restore))
    if not usable or pg_dump.resolve().name == "pg_wrapper":
        return None
    version = await _version(pg_dump, env)
    if version is None or version != await _version(pg_restore, env):
        return None
    return Tools(pg_dump, pg_restore, version, int(re.split(r"\D", version)[0]), server_major)


async def _version(program: Path, env: Mapping[str, str]) -> str | None:
    try:
        code, out, _ = await capture([str(program), "--version"], env={**env, "LC_ALL": "C"})
    except Unavailable:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+[\w.]*)", out)
    return match[1] if code == 0 and match else None
