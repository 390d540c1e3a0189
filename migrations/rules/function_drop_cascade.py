"""DROP FUNCTION … CASCADE: every column that is computed with it goes with it."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Functions, and what else expressions, partitions and tables are made with: operators, access methods."""
    for action in statement.actions:
        match action:
            case a.Drop(kind=kind, name=name, cascade=True) if kind in a.COMPUTED_WITH:
                if seen.is_made(kind, name):
                    continue
                yield Found(
                    f"drops {kind} {name} and all that is made with it, which the script does not name: generated "
                    "columns with their values, tables that it partitions or stores with their rows, defaults, "
                    "constraints, indexes, views, triggers",
                    subject=str(name),
                    instead="Change or drop by name what depends on it; then drop it without CASCADE: it fails if "
                    "anything is forgotten.",
                )


RULE = Rule(
    code="function-drop-cascade",
    title="Drops a function and the columns that are computed with it",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
    " CREATE TABLE t (c int, d int GENERATED ALWAYS AS (f(c)) STORED)",
    risky="DROP FUNCTION f CASCADE",
    safer="ALTER TABLE t ALTER COLUMN d DROP EXPRESSION; DROP FUNCTION f",
    source="https://www.postgresql.org/docs/current/sql-dropfunction.html",
    about=(a.Drop,),
    check=check,
)
