"""COMMIT or ROLLBACK without BEGIN: it ends the transaction of whoever runs the script."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every such statement that stands in no transaction of the script's own, if the script can be read."""
    control = statement.facts.control
    if not seen.script.error and control in ("commit", "rollback") and not _begun(statement, seen):
        yield Found(
            f"{control.upper()} ends a transaction that this script did not begin: "
            "what runs the script believes that all of it is one",
            subject=str(statement.index),
            instead="Take it out, or write BEGIN where the transaction is to begin.",
        )


def _begun(statement: Statement, seen: Situation) -> bool:
    """Whether its transaction has a BEGIN, or follows upon another one's AND CHAIN."""
    together = [statement, *seen.before(statement)]
    first = together[-1].index
    chained = first > 0 and seen.script.statements[first - 1].facts.chain
    return chained or any(one.facts.control == "begin" for one in together)


RULE = Rule(
    code="commit-without-begin",
    title="Ends a transaction that it did not begin",
    severity="stop",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD COLUMN d int; COMMIT",
    safer="BEGIN; ALTER TABLE t ADD COLUMN d int; COMMIT",
    source="https://www.postgresql.org/docs/current/sql-commit.html",
    check=check,
)
