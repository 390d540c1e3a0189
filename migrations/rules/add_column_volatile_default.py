"""ADD COLUMN with a default that differs from row to row: the whole table is written anew."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import ABOUT_ITS_CONSTRAINTS, column_added
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.definitions import definition_of
from migrations.sql.names import shown
from migrations.sql.volatility import unknown, volatile


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """A constant, or a function such as now() that gives all rows the same, is only noted down."""
    for action in statement.actions:
        match action:
            case a.AddColumn(table=table, column=a.Column(name=name, default=tuple(calls))) if not seen.is_new(table):
                certain, maybe = volatile(calls), unknown(calls)
                if not certain and not maybe:
                    continue
                functions = " and ".join(f"{shown(call)}()" for call in certain or maybe)
                unless = "" if certain else f", unless {functions} is declared stable or immutable"
                yield Found(
                    f"nobody can read or write {table} until all of it is written anew: {functions} gives each row a "
                    f"value of its own{unless}",
                    (table,),
                    subject=f"{table}.{name}",
                    instead=f"Add {shown(name)} without the default; then set the default, for new rows; then fill it "
                    "in batches.",
                    safer_sql=column_added(action, definition_of(statement, action)),
                )


RULE = Rule(
    code="add-column-volatile-default",
    title="Adds a column with a default that differs from row to row",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    supersedes=ABOUT_ITS_CONSTRAINTS,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE t ADD COLUMN d uuid DEFAULT gen_random_uuid()",
    safer="ALTER TABLE t ADD COLUMN d uuid; ALTER TABLE t ALTER COLUMN d SET DEFAULT gen_random_uuid()",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AddColumn,),
    check=check,
)
