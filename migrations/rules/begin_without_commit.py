"""BEGIN without COMMIT: the server throws away all that came after it, and says nothing."""

from collections.abc import Iterator

from migrations.listed import many
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """A BEGIN whose transaction lasts to the end of a script that can be read."""
    if seen.script.error or statement.facts.control != "begin":
        return
    if any(earlier.facts.control == "begin" for earlier in seen.before(statement)):
        return
    if not seen.is_ended(statement):
        lost = len(seen.script.statements) - statement.index - 1
        yield Found(
            f"no COMMIT follows this BEGIN: the {many(lost, 'statement')} after it would be lost without an error",
            subject="begin",
            instead="Take BEGIN out, or write COMMIT at the end.",
            safer_sql="COMMIT;",
        )


RULE = Rule(
    code="begin-without-commit",
    title="Begins a transaction that nothing commits",
    severity="stop",
    setup="CREATE TABLE t (c int)",
    risky="BEGIN; ALTER TABLE t ADD COLUMN d int",
    safer="BEGIN; ALTER TABLE t ADD COLUMN d int; COMMIT",
    source="https://www.postgresql.org/docs/current/sql-begin.html",
    check=check,
)
