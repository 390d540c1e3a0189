"""A column dropped and added anew under its name: it is there again, without its values."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_pairs import dropped_by
from migrations.rules.column_steps import is_numbered
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted, shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Generators do that where they do not know how to make the one type of the other."""
    for table, column, added, _ in dropped_by(statement, seen):
        made = seen.ahead.of(table).columns.get(column)
        if added == column and made is not None:
            yield Found(
                f"drops column {shown(column)} of {table} and adds it again as {made.type}, empty: it looks the same, "
                "and its values are lost",
                (table,),
                subject=f"{table}.{column}",
                instead="Give the column its new type, and say how its values are made of the old ones.",
                safer_sql=_retyped(table, made),
            )


def _retyped(table: Name, column: a.Column) -> str:
    """Empty where no type says how the new values are made: the rows are numbered anew."""
    name = quoted(column.name)
    part = f"ALTER COLUMN {name} TYPE {column.type} USING {name}::text::{column.type}"
    return "" if is_numbered(column) else f"ALTER TABLE {table.sql} {part};"


RULE = Rule(
    code="column-recreated",
    title="Drops a column and adds it again",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c text); INSERT INTO t VALUES ('1')",
    risky="ALTER TABLE t DROP COLUMN c, ADD COLUMN c int",
    safer="ALTER TABLE t ALTER COLUMN c TYPE int USING c::int",
    source="https://www.prisma.io/docs/orm/prisma-migrate/workflows/customizing-migrations",
    about=(a.DropColumn,),
    check=check,
)
