"""ADD COLUMN that numbers the rows, serial or identity: the whole table is written anew."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import ABOUT_ITS_CONSTRAINTS, column_added, is_numbered
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.definitions import definition_of
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every such column of a table that was there before."""
    for action in statement.actions:
        match action:
            case a.AddColumn(table=table, column=column) if is_numbered(column) and not seen.is_new(table):
                yield Found(
                    f"nobody can read or write {table} until all of it is written anew, with a number in "
                    f"{shown(column.name)} for each row",
                    (table,),
                    subject=f"{table}.{column.name}",
                    instead=f"Add {shown(column.name)} as a plain number with a sequence for new rows; then number "
                    "the others in batches.",
                    safer_sql=column_added(action, definition_of(statement, action)),
                )


RULE = Rule(
    code="add-column-serial",
    title="Adds a column that numbers the rows",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    supersedes=ABOUT_ITS_CONSTRAINTS,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE t ADD COLUMN d bigserial",
    safer="CREATE SEQUENCE t_d_seq; ALTER TABLE t ADD COLUMN d bigint; "
    "ALTER TABLE t ALTER COLUMN d SET DEFAULT nextval('t_d_seq')",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AddColumn,),
    check=check,
)
