"""CONCURRENTLY and its like between BEGIN and COMMIT: the server refuses it."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every statement that cannot be in a transaction, in one that the script itself begins."""
    if not statement.facts.alone:
        return
    began = next((s for s in seen.before(statement) if s.facts.control == "begin"), None)
    if began is not None:
        yield Found(
            f"cannot be in a transaction, and line {began.line} began one: the server refuses it",
            statement.facts.touches,
            subject=str(statement.index),
            instead="Put it into a migration of its own, without BEGIN.",
            safer_sql=f"{statement.text};",
        )


RULE = Rule(
    code="concurrently-in-transaction",
    title="Stands between BEGIN and COMMIT, where it cannot run",
    severity="stop",
    fails="25001",
    supersedes=("concurrently-among-others",),
    setup="CREATE TABLE t (c int)",
    risky="BEGIN; CREATE INDEX CONCURRENTLY i ON t (c); COMMIT",
    safer="CREATE INDEX CONCURRENTLY i ON t (c)",
    source="https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
    check=check,
)
