"""DROP COLUMN: its values are gone, and what still reads it breaks."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_pairs import dropped_by
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The dropped columns that the script did not add itself, and does not add anew under some name."""
    dropped = [one for one in dropped_by(statement, seen) if one.becomes is None]
    for table in dict.fromkeys(one.table for one in dropped):
        of_it = [one for one in dropped if one.table == table]
        names = ", ".join(shown(one.column) for one in of_it)
        several = len(of_it) > 1
        yield Found(
            f"drops column{'s' * several} {names} of {table} with all {'their' if several else 'its'} values"
            + ", and what depends on it" * any(one.cascade for one in of_it),
            (table,),
            subject=f"{table}.{','.join(one.column for one in of_it)}",
            instead=f"Drop {'them' if several else 'it'} one release after the last version that reads or writes "
            f"{'them' if several else 'it'}.",
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
    about=(a.DropColumn,),
    check=check,
)
