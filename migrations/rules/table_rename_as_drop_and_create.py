"""A table dropped and another one created: often a rename that a generator did not see."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every dropped table, with the one most like it that the script makes and leaves empty."""
    for action in statement.actions:
        match action:
            case a.Drop(kind="table", name=table) if not seen.is_new(table):
                made = seen.likeness.of_table(table)
                if made is not None:
                    yield Found(
                        f"drops table {table} with all its rows, and the script creates {made}, empty: "
                        "if that was meant as a rename, the rows are lost",
                        (table,),
                        subject=str(table),
                        instead=f"If it is a rename, rename it: then {made} has the rows.",
                        safer_sql=f"ALTER TABLE {table.sql} RENAME TO {quoted(made.name)};",
                    )


RULE = Rule(
    code="table-rename-as-drop-and-create",
    title="Drops a table and creates another one in its place",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    supersedes=("table-drop",),
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="DROP TABLE t; CREATE TABLE u (c int)",
    safer="ALTER TABLE t RENAME TO u",
    source="https://www.prisma.io/docs/orm/prisma-migrate/workflows/customizing-migrations",
    about=(a.Drop,),
    check=check,
)
