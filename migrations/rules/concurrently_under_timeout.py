"""CONCURRENTLY under a short timeout that the script sets: cut off at its end, it leaves an INVALID index."""

import re
from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Statement
from migrations.sql.words import bare

SHORT = 600_000
"""Milliseconds. It waits for every older transaction in the database, a dump among them."""

_TIME = re.compile(r"\s*\+?(\d+(?:\.\d*)?)\s*(us|ms|s|min|h|d)?\s*")
_UNITS = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """CREATE, DROP and REINDEX … CONCURRENTLY, and DETACH PARTITION … CONCURRENTLY."""
    if not (statement.facts.concurrently and statement.facts.alone):
        return
    for setting in ("lock_timeout", "statement_timeout"):
        value = seen.settings.get(setting) or "0"
        if 0 < _milliseconds(value) < SHORT:
            yield Found(
                f"{setting} is {value} here: this waits for every older transaction in the database, also where it "
                "locks nothing of theirs, is cut off, and leaves an INVALID index or a partition half detached",
                statement.facts.touches,
                subject=setting,
                instead=f"Do it without {setting}: it keeps nobody from reading or writing while it waits.",
                safer_sql=in_one(bare(statement.text), when=ALONE),
            )


def _milliseconds(value: str) -> float:
    """How long a timeout is; 0 for none, and for what is not understood."""
    match = _TIME.fullmatch(value)
    return float(match[1]) * _UNITS[match[2] or "ms"] if match else 0


RULE = Rule(
    code="concurrently-under-timeout",
    title="Cuts off what must wait for others",
    severity="warn",
    setup="CREATE TABLE t (c int)",
    risky="SET lock_timeout = '5s'; CREATE INDEX CONCURRENTLY i ON t (c)",
    safer="CREATE INDEX CONCURRENTLY i ON t (c)",
    source="https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
    check=check,
)
