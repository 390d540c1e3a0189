"""MERGE … DELETE without a condition of its own: the join alone says which rows go."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """In a table that is not the script's own."""
    for action in statement.actions:
        match action:
            case a.Merge(table=table, deletes=True) if not seen.is_new(table):
                yield Found(
                    f"deletes rows of {table}: which ones, only the other side of the MERGE says; with NOT MATCHED BY "
                    "SOURCE all that it lacks, so every row if it is empty",
                    (table,),
                    subject=str(table),
                    instead="Say of which rows: WHEN … AND condition THEN DELETE. Count them first, and keep a copy.",
                )


RULE = Rule(
    code="merge-with-delete",
    title="Deletes what a join selects",
    severity="stop",
    loses_data=True,
    lock=Lock.ROW_EXCLUSIVE,
    blocks="writes of the same rows",
    setup="CREATE TABLE t (c int); CREATE TABLE s (c int); INSERT INTO t VALUES (1); INSERT INTO s VALUES (1)",
    risky="MERGE INTO t USING s ON t.c = s.c WHEN MATCHED THEN DELETE",
    safer="MERGE INTO t USING s ON t.c = s.c WHEN MATCHED AND t.c = 2 THEN DELETE",
    since=15,
    source="https://www.postgresql.org/docs/current/sql-merge.html",
    about=(a.Merge,),
    check=check,
)
