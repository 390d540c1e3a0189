"""Settings of a connection: set, and read back, because a pooler or a RESET may have been in between."""

import re
from collections.abc import Mapping
from typing import Any

import psycopg

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

UNITS = {"": 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
TIME = re.compile(r"([0-9]+) ?(ms|s|min|h|d|)")


def milliseconds(setting: str) -> int:
    """A timeout as the server spells it (`5s`, `15min`, `0`). Raises ValueError for anything else."""
    match = TIME.fullmatch(setting)
    if match is None:
        raise ValueError(f"{setting} is not a length of time")
    return int(match[1]) * UNITS[match[2]]


async def set_session(conn: Connection, settings: Mapping[str, str], *, check: Mapping[str, str] | None = None) -> None:
    """Set settings for the session, and read back these and the ones to `check`. Raises Problem if one is not in force.

    Raises psycopg.Error, and sets nothing, if the server does not take one.
    """
    expected = {**(check or {}), **settings}
    if not expected:
        return
    parts = [
        "pg_catalog.set_config(%s, %s, false)" if name in settings else "pg_catalog.current_setting(%s)"
        for name in expected
    ]
    values = [part for name in expected for part in ((name, settings[name]) if name in settings else (name,))]
    row = await (await conn.execute(f"SELECT {', '.join(parts)}".encode(), values)).fetchone()
    for (name, value), found in zip(expected.items(), row or (), strict=True):
        if not _same(str(found), value):
            raise Problem(
                f"{name} is {found or 'empty'} on the connection, not {value} as it was set.",
                advice="Something between here and the server changes settings; connect without a pooler.",
            )


def _same(found: str, value: str) -> bool:
    if TIME.fullmatch(found) and TIME.fullmatch(value):
        return milliseconds(found) == milliseconds(value)
    return found == value
