"""TRUNCATE … CASCADE: the rows of every table that references it are gone too."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a table that was there before: only that may be referenced by others with rows."""
    for action in statement.actions:
        match action:
            case a.Truncate(table=table, cascade=True) if not seen.is_new(table):
                yield Found(
                    f"deletes every row of {table}, of every table that references it, and of those that reference "
                    "these; the script does not say which they are",
                    (table,),
                    subject=str(table),
                    instead="Name every table that is meant, without CASCADE: it fails if one is forgotten.",
                )


RULE = Rule(
    code="truncate-cascade",
    title="Deletes every row of tables that it does not name",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    supersedes=("truncate",),
    setup="CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int REFERENCES o)",
    risky="TRUNCATE o CASCADE",
    safer="TRUNCATE o, t",
    source="https://www.postgresql.org/docs/current/sql-truncate.html",
    about=(a.Truncate,),
    check=check,
)
