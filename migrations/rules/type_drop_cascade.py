"""DROP TYPE … CASCADE: every column of that type goes with it."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Types, domains, collations, and extensions, which may hold types."""
    for action in statement.actions:
        match action:
            case a.Drop(kind="type" | "domain" | "collation" | "extension" as kind, name=name, cascade=True):
                if seen.is_made(kind, name):
                    continue
                yield Found(
                    f"drops {kind} {name} and every column that uses it, in whatever table",
                    subject=str(name),
                    instead="Change or drop each column first; then drop the type without CASCADE.",
                )


RULE = Rule(
    code="type-drop-cascade",
    title="Drops a type and the columns of that type",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TYPE y AS ENUM ('a'); CREATE TABLE t (c y, d int)",
    risky="DROP TYPE y CASCADE",
    safer="ALTER TABLE t ALTER COLUMN c TYPE text; DROP TYPE y",
    source="https://www.postgresql.org/docs/current/sql-droptype.html",
    about=(a.Drop,),
    check=check,
)
