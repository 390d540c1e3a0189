"""DELETE without WHERE: all rows are gone, slowly."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import deleted
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every DELETE of all rows of a table that is not the script's own."""
    for action in statement.actions:
        match action:
            case a.Delete(table=table, everything=True) if not seen.is_new(table):
                yield Found(
                    f"deletes every row of {table}, in one long transaction",
                    (table,),
                    subject=str(table),
                    instead=f"Keep a copy, and DELETE FROM {table} WHERE …; in batches, each a transaction of its own.",
                    safer_sql=deleted(table, only=action.only) if statement.actions == (action,) else "",
                )


RULE = Rule(
    code="delete-without-where",
    title="Deletes every row of a table",
    severity="stop",
    loses_data=True,
    lock=Lock.ROW_EXCLUSIVE,
    blocks="writes of the same rows",
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="DELETE FROM t",
    safer="DELETE FROM t WHERE c = 1",
    source="https://www.postgresql.org/docs/current/sql-delete.html",
    supersedes=("merge-with-delete",),
    about=(a.Delete,),
    check=check,
)
