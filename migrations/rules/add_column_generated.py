"""ADD COLUMN … GENERATED … STORED: the whole table is written anew, to store what is worked out for each row."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import ABOUT_ITS_CONSTRAINTS
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """A virtual column is worked out by whoever reads it: nothing is written."""
    for action in statement.actions:
        match action:
            case a.AddColumn(table=table, column=a.Column(name=name, generated="stored")) if not seen.is_new(table):
                yield Found(
                    f"nobody can read or write {table} until all of it is written anew, with {shown(name)} worked out "
                    "for each row",
                    (table,),
                    subject=f"{table}.{name}",
                    instead="From PostgreSQL 18 on, VIRTUAL stores nothing. Otherwise add a plain column, let a "
                    "trigger fill it for new rows, and fill the others in batches.",
                )


RULE = Rule(
    code="add-column-generated",
    title="Adds a column that is worked out and stored for each row",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    supersedes=ABOUT_ITS_CONSTRAINTS,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE t ADD COLUMN d int GENERATED ALWAYS AS (c * 2) STORED",
    safer="ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/ddl-generated-columns.html",
    about=(a.AddColumn,),
    check=check,
)
