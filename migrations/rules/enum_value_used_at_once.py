"""ALTER TYPE ADD VALUE, and the new value used in the same transaction: the server refuses that."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Statement
from migrations.sql.names import printable
from migrations.sql.words import bare


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every statement that holds the literal of a value which the script adds to an enum that was there before."""
    for fresh in seen.fresh_values_in(statement):
        together = seen.are_together(fresh.by, statement)
        if not together and seen.has_own_transactions:
            continue
        value = printable(fresh.value)
        yield Found(
            f"uses {value!r}, which line {fresh.by.line} adds to {fresh.type}: {_REFUSED if together else _IN_TWO}",
            statement.facts.touches,
            subject=f"{fresh.type}.{value}",
            severity="stop" if together else None,
            instead="Add the value in a migration of its own, and use it in the next one.",
            safer_sql=in_one(bare(statement.text), when=ALONE),
        )


_REFUSED = "the server refuses that in one transaction"
_IN_TWO = (
    "sent in one batch, as older versions of Prisma do, the script fails; in two transactions, the first one stays if "
    "this fails"
)

RULE = Rule(
    code="enum-value-used-at-once",
    title="Uses a value of an enum in the script that adds it",
    severity="warn",
    fails="55P04",
    setup="CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (c mood)",
    risky="ALTER TYPE mood ADD VALUE 'glad'; UPDATE t SET c = 'glad' WHERE c = 'sad'",
    safer="ALTER TYPE mood ADD VALUE 'glad'",
    source="https://www.postgresql.org/docs/current/sql-altertype.html",
    check=check,
)
