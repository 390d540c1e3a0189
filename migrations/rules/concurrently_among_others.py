"""CONCURRENTLY beside other statements: the script is no longer all or nothing."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every such statement in a script with more than one."""
    if statement.facts.concurrently and statement.facts.alone and len(seen.script.statements) > 1:
        yield Found(
            "cannot be in a transaction: if it fails, what stands before it in this script stays; sent in one batch, "
            "as older versions of Prisma do, the script fails",
            statement.facts.touches,
            subject=str(statement.index),
            instead="Put it into a migration of its own.",
        )


RULE = Rule(
    code="concurrently-among-others",
    title="Runs CONCURRENTLY beside other statements",
    severity="warn",
    fails="25001",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD COLUMN d int; CREATE INDEX CONCURRENTLY i ON t (c)",
    safer="CREATE INDEX CONCURRENTLY i ON t (c)",
    source="https://www.postgresql.org/docs/current/sql-createindex.html",
    check=check,
)
