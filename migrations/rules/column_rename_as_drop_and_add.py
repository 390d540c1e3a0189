"""A column dropped and another one added to the same table: often a rename that a generator did not see."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_pairs import dropped_by
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted, shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every dropped column, with the added one that looks most like it, unless the script fills that itself."""
    for table, column, added, _ in dropped_by(statement, seen):
        if added is not None and added != column:
            yield Found(
                f"drops column {shown(column)} of {table} with all its values and adds {shown(added)}, empty: "
                "if that was meant as a rename, the values are lost",
                (table,),
                subject=f"{table}.{column}",
                instead="If it is a rename, rename it: then the values stay.",
                safer_sql=f"ALTER TABLE {table.sql} RENAME COLUMN {quoted(column)} TO {quoted(added)};",
            )


RULE = Rule(
    code="column-rename-as-drop-and-add",
    title="Drops a column and adds another one in its place",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c text); INSERT INTO t VALUES ('kept')",
    risky="ALTER TABLE t DROP COLUMN c, ADD COLUMN d text",
    safer="ALTER TABLE t RENAME COLUMN c TO d",
    source="https://www.prisma.io/docs/orm/prisma-migrate/workflows/customizing-migrations",
    about=(a.DropColumn,),
    check=check,
)
