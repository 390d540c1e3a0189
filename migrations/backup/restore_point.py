"""A named point in the server's log, to which a copy of it can be recovered later."""

from dataclasses import dataclass

import psycopg

from migrations.backup.moment import Connection
from migrations.problem import Problem

LONGEST = 63

_FACTS = """
SELECT current_user::text,
       pg_catalog.has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE'),
       pg_catalog.current_setting('wal_level'), pg_catalog.current_setting('archive_mode'),
       pg_catalog.pg_is_in_recovery(),
       (SELECT failed_count > 0 AND last_failed_time > coalesce(last_archived_time, '-infinity')
        FROM pg_catalog.pg_stat_archiver),
       (SELECT pg_catalog.to_char(last_archived_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
        FROM pg_catalog.pg_stat_archiver)
"""
_CREATE = """
SELECT pg_catalog.pg_create_restore_point(%s)::text,
       pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
"""


@dataclass(frozen=True, slots=True)
class Archiving:
    """What a restore point would be worth. `allowed`: this role may make one. `failing`: the archiver's latest try
    failed. `archived`: when it last did not, in UTC; None if never."""

    role: str
    allowed: bool
    wal_level: str
    archive_mode: str
    in_recovery: bool
    failing: bool
    archived: str | None

    @property
    def obstacle(self) -> tuple[str, str] | None:
        """Why this role can make none here, and what to do about it."""
        if self.wal_level == "minimal":
            return ("wal_level is minimal: the server makes no restore points", "Set wal_level = replica; it restarts.")
        if self.in_recovery:
            return ("the server is a standby: restore points are made on the primary", "Give the primary's address.")
        if not self.allowed:
            grant = f'GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO "{self.role}";'
            return (f"{self.role} may not make restore points", f"A superuser of this database runs: {grant}")
        return None

    @property
    def doubt(self) -> tuple[str, str] | None:
        """Why nobody might be able to recover to one, and what to do about it."""
        if self.archive_mode == "off":
            return (
                "archive_mode is off: nobody can recover to it, unless a receiver or the provider keeps the log",
                "Say in a waiver who keeps the log, or set archive_mode = on; the server restarts.",
            )
        if self.failing:
            last = f"the last that went well was at {self.archived} UTC" if self.archived else "none has gone well yet"
            return (
                f"archive_mode is {self.archive_mode}, and archiving fails: {last}",
                "Look at the server's log. Until the log is archived, nobody can recover to a point in it.",
            )
        return None

    @property
    def words(self) -> str:
        """Where the log goes, as far as the server says."""
        last = f"last archived at {self.archived} UTC" if self.archived else "nothing was archived yet"
        return f"wal_level {self.wal_level}, archive_mode {self.archive_mode}, {last}"


@dataclass(frozen=True, slots=True)
class Point:
    """A restore point; `at` is RFC 3339 UTC by the server's clock."""

    name: str
    lsn: str
    at: str


async def archiving(connection: Connection) -> Archiving:
    """Read it. Changes nothing."""
    row = await (await connection.execute(_FACTS)).fetchone()
    assert row is not None
    role, allowed, wal_level, archive_mode, in_recovery, failing, archived = row
    return Archiving(role, allowed, wal_level, archive_mode, in_recovery, bool(failing), archived)


async def create(connection: Connection, name: str) -> Point:
    """Make one. Raises Problem where the server or the role does not allow it."""
    try:
        row = await (await connection.execute(_CREATE, (name,))).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState) as error:
        role = connection.info.user
        raise Problem(
            f"The restore point was not made: {error.diag.message_primary}.",
            advice=f'A superuser runs: GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO "{role}";'
            if isinstance(error, psycopg.errors.InsufficientPrivilege)
            else "Look at wal_level, and whether this is the primary.",
            code=error.sqlstate or "",
        ) from None
    assert row is not None
    return Point(name, *row)
