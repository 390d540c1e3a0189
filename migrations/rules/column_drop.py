"""DROP COLUMN: its values are gone, and what still reads it breaks."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Every dropped column that the script did not add itself."""
    for action in statement.actions:
        match action:
            case a.DropColumn(table=table, column=column, cascade=cascade):
                if seen.is_certainly_new(table) or seen.is_new_column(table, column):
                    continue
                yield Found(
                    f"drops column {shown(column)} of {table} with all its values"
                    + ", and what depends on it" * cascade,
                    (table,),
                    subject=f"{table}.{column}",
                    instead="Drop it one release after the last version that reads or writes it.",
                )


RULE = Rule(
    code="column-drop",
    title="Drops a column",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int NOT NULL, d int)",
    risky="ALTER TABLE t DROP COLUMN c",
    safer="ALTER TABLE t ALTER COLUMN c DROP NOT NULL",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    check=check,
)
