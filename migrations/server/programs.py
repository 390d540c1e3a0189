"""Which PostgreSQL of this machine to start: that of a wanted major version, else the wheel's."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from migrations.problem import Unavailable
from migrations.process import capture
from migrations.server import embedded_bin, major_version
from migrations.server.place import ENVIRONMENT, PROGRAMS

VERSIONED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/libpq/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
    "/opt/local/lib/postgresql*/bin",
)
"""Where packagers put them: Debian, Red Hat, Homebrew, Postgres.app, EDB, MacPorts."""


def program_folders(env: Mapping[str, str]) -> Iterator[Path]:
    """Where PostgreSQL's programs may be: every folder of PATH in `env`, then where packagers put them."""
    seen: set[Path] = set()
    named = [Path(entry) for entry in env.get("PATH", "").split(":") if entry.startswith("/")]
    packaged = [path for pattern in VERSIONED for path in sorted(Path("/").glob(pattern[1:]))]
    for folder in (*named, *packaged):
        if folder not in seen:
            seen.add(folder)
            yield folder


async def server_bin(major: int, env: Mapping[str, str]) -> Path:
    """The programs of a server of this major version, if the machine has them, else the wheel's. Raises Unavailable."""
    for folder in program_folders(env):
        if all(os.access(folder / name, os.X_OK) for name in PROGRAMS) and await _is(folder, major):
            return folder
    return embedded_bin()


async def server_version(bin: Path) -> str:
    """What the server says of itself, to the last word: `postgres (PostgreSQL) 18.6`. Raises Unavailable."""
    _, words, _ = await capture([str(bin / "postgres"), "--version"], env=ENVIRONMENT)
    return words.strip()


async def _is(folder: Path, major: int) -> bool:
    try:
        return await major_version(folder) == major
    except Unavailable:
        return False
