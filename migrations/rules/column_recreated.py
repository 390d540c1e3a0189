"""A column dropped and added anew under its name: it is there again, without its values."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_pairs import dropped_by
from migrations.sql import Statement
from migrations.sql.names import quoted, shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Generators do that where they do not know how to make the one type of the other."""
    for table, column, added, _ in dropped_by(statement, seen):
        made = seen.made.added_column(table, column)
        if added == column and made is not None:
            name, type = quoted(column), made.type
            yield Found(
                f"drops column {shown(column)} of {table} and adds it again as {type}, empty: it looks the same, "
                "and its values are lost",
                (table,),
                subject=f"{table}.{column}",
                instead="Give the column its new type, and say how its values are made of the old ones.",
                safer_sql=f"ALTER TABLE {table.sql} ALTER COLUMN {name} TYPE {type} USING {name}::text::{type};",
            )


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
    check=check,
)
