"""A statement of which it is not known what it does: it may be anything, so nobody should call it safe."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Fault, Script, Statement


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """What stands where the script cannot be read is a stop; what is only not looked into is a warning."""
    error = seen.script.error
    if error and _stands_in(error, statement, seen.script):
        yield Found(f"PostgreSQL refuses this script at line {error.line}: {error.message}", severity="stop")
    elif statement.why_not:
        yield Found(
            f"not analysed: {statement.why_not}",
            statement.facts.touches,
            instead="Read it yourself, and rehearse it on a copy.",
        )


def _stands_in(error: Fault, statement: Statement, script: Script) -> bool:
    """Whether an error is in a statement, or behind it and before the next; ahead of all, it is the first one's."""
    after = script.statements[statement.index + 1 : statement.index + 2]
    starts = statement.start if statement.index else 0
    return starts <= error.offset and all(error.offset < following.start for following in after)


RULE = Rule(
    code="not-analysed",
    title="It is not known what this does",
    severity="warn",
    setup="CREATE TABLE t (c int)",
    risky="DO $$ BEGIN EXECUTE 'DROP TABLE ' || lower('T'); END $$",
    safer="ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/plpgsql-statements.html",
    check=check,
)
