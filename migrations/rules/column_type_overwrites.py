"""ALTER COLUMN TYPE … USING that does not read the column: its values are gone."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a column that was there before the script."""
    for action in statement.actions:
        match action:
            case a.AlterType(table=table, column=column, unread=True):
                if seen.is_new(table) or seen.is_new_column(table, column):
                    continue
                yield Found(
                    f"overwrites {shown(column)} in every row of {table}: what stands behind USING does not read it, "
                    "and nobody can read or write the table meanwhile",
                    (table,),
                    subject=f"{table}.{column}",
                    instead=f"Add a column of the new type, and fill it. Drop {shown(column)} once nobody needs what "
                    "stands in it.",
                )


RULE = Rule(
    code="column-type-overwrites",
    title="Gives a column a type and loses its values",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE t ALTER COLUMN c TYPE text USING 'unknown'",
    safer="ALTER TABLE t ADD COLUMN c_new text",
    supersedes=("column-type-change",),
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AlterType,),
    check=check,
)
