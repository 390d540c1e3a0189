"""TRUNCATE: all rows are gone."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import deleted
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """With CASCADE even a new table may have others that reference it, but not yet with rows."""
    for action in statement.actions:
        match action:
            case a.Truncate(table=table, cascade=cascade) if not seen.is_new(table):
                yield Found(
                    f"deletes every row of {table}" + ", and of every table that references it" * cascade,
                    (table,),
                    subject=str(table),
                    instead="Keep a copy, and delete what is meant by its WHERE; in batches, so that others can go on.",
                    safer_sql=deleted(table, only=action.only),
                )


RULE = Rule(
    code="truncate",
    title="Deletes every row of a table",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="TRUNCATE t",
    safer="DELETE FROM t WHERE c < 10",
    source="https://www.postgresql.org/docs/current/sql-truncate.html",
    about=(a.Truncate,),
    check=check,
)
