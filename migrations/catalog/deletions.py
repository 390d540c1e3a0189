"""How many rows others delete, as the server counts them: what a table loses anyway while a migration runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from migrations.catalog.reading import reading

Connection = psycopg.AsyncConnection[Any]

TIMES = 10
"""So many times the usual number of deletes is still taken for others' work: they come in bursts."""
SLACK = 10
LEAST = timedelta(seconds=10)
"""What is counted in less time than that says nothing of a rate."""

_COUNTED = """
SELECT quote_ident(schemaname) || '.' || quote_ident(relname), n_tup_del FROM pg_stat_user_tables WHERE n_tup_del > 0
"""
_WHEN = "SELECT clock_timestamp(), (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database())"


@dataclass(frozen=True, slots=True)
class Deletions:
    """Rows deleted by table, as far as the server had counted them `at` a moment, and since when, if that is known.

    Also those of transactions that were rolled back, and none that a TRUNCATE or a DROP took.
    """

    at: datetime
    since: datetime | None
    rows: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """As plain data; `from_json` reads it back."""
        since = self.since.isoformat() if self.since else None
        return {"at": self.at.isoformat(), "since": since, "rows": dict(sorted(self.rows.items()))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Deletions":
        """Raises KeyError, TypeError or ValueError."""
        since = datetime.fromisoformat(data["since"]) if data["since"] else None
        return cls(datetime.fromisoformat(data["at"]), since, dict(data["rows"]))


@dataclass(frozen=True, slots=True)
class Habit:
    """What others delete from a table: `before` rows ever; `expected` and `counted` rows since then, until the count
    after. None where it is not known.
    """

    before: int | None = None
    expected: float | None = None
    counted: int | None = None

    def covers(self, lost: int) -> bool:
        """Whether so many rows may well have been deleted by others."""
        return bool(self.expected) and lost <= (self.expected or 0) * TIMES + SLACK

    @property
    def doubtful(self) -> bool:
        """Others do delete from it, and nobody knows how often."""
        return bool(self.before) and self.expected is None

    @property
    def words(self) -> str:
        """For people, to stand behind other words; empty where nothing is known."""
        if self.before is None:
            return ""
        usual = "nobody deleted from it before"
        if self.expected is not None and self.before:
            usual = f"others usually delete about {self.expected:.0f} in that time"
        elif self.before:
            usual = f"{self.before} were deleted before, nobody knows in what time"
        return f"; {usual}{f', the server has counted {self.counted} since' if self.counted else ''}"


async def deletions(conn: Connection) -> Deletions:
    """Read them now. They lag a second or so behind what is committed. Raises Problem."""
    async with reading(conn):
        when = await (await conn.execute(_WHEN)).fetchone()
        rows = await (await conn.execute(_COUNTED)).fetchall()
    assert when is not None
    return Deletions(when[0], when[1], dict(rows))


def habit(table: tuple[str, ...], first: Deletions | None, before: Deletions | None, after: Deletions | None) -> Habit:
    """What others delete from a table, of which these are the parts, from `before` to `after`.

    `first` is an earlier count of the same session: what came to it by `before` is a rate, as is all since `since`.
    """
    if before is None or after is None:
        return Habit()
    count = _sum(before, table)
    starts = [(0, before.since)] if before.since else []
    starts += [(_sum(first, table), first.at)] if first else []
    rates = [
        (count - least) / (before.at - start).total_seconds() for least, start in starts if before.at - start >= LEAST
    ]
    more = _sum(after, table) - count
    return Habit(
        before=count,
        expected=max(rates) * (after.at - before.at).total_seconds() if rates else None,
        counted=more if more >= 0 and before.since == after.since else None,
    )


def _sum(deletions: Deletions, table: tuple[str, ...]) -> int:
    return sum(deletions.rows.get(part, 0) for part in table)
