"""ADD COLUMN with a default that differs from row to row: the whole table is written anew."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen
from migrations.impact.types import type_from
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
        if isinstance(action, a.AddColumn) and not seen.is_new(action.table):
            own = action.column.default
            domain = seen.domain(action.column.type) if own is None else None
            calls = domain.default if domain else own or ()
            certain, maybe = volatile(calls), unknown(calls)
            if certain or maybe:
                functions = " and ".join(f"{shown(call)}()" for call in certain or maybe)
                unless = "" if certain else f", unless {functions} is declared stable or immutable"
                sql = "" if domain else column_added(action, definition_of(statement, action))
                yield _found(
                    action, f"{functions} gives each row a value of its own{unless}", sql, of_domain=domain is not None
                )


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """The default may be that of a domain which is there."""
    for action in statement.actions:
        if isinstance(action, a.AddColumn) and not seen.is_new(action.table) and action.column.default is None:
            type = type_from(action.column.type)
            domain = foreseen.type(type.name) if type and not type.array else None
            if domain and domain.volatile:
                yield _found(
                    action, f"the default of {action.column.type} gives each row a value of its own", of_domain=True
                )


def _found(action: a.AddColumn, why: str, sql: str = "", *, of_domain: bool) -> Found:
    table, column = action.table, action.column
    start = f"Add {shown(column.name)} without the default"
    if of_domain:
        start = f"Give {shown(column.name)} the type that {column.type} is made of, without a default"
    return Found(
        f"nobody can read or write {table} until all of it is written anew: {why}",
        (table,),
        subject=f"{table}.{column.name}",
        instead=f"{start}; then set the default, for new rows; then fill it in batches.",
        safer_sql=sql,
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
    look=look,
)
