"""DETACH PARTITION: nobody reads or writes any part of the table until the transaction ends."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.seen import Seen
from migrations.sql.words import put_last


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Only from a table that was there before."""
    for action in statement.actions:
        match action:
            case a.DetachPartition(table=table, partition=partition, concurrently=False) if not seen.is_new(table):
                yield Found(
                    f"nobody can read or write {table} or {partition} from here to the end of the transaction",
                    (table, partition),
                    subject=str(partition),
                    instead="DETACH … CONCURRENTLY, in a migration of its own, where there is no default partition. If "
                    f"it is cancelled, ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE ends it.",
                    safer_sql=in_one(put_last(statement.text, "ALTER", "CONCURRENTLY"), when=ALONE),
                )


RULE = Rule(
    code="partition-detach-without-concurrently",
    title="Detaches a partition while everybody waits",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int) PARTITION BY RANGE (c); CREATE TABLE p PARTITION OF t FOR VALUES FROM (0) TO (10)",
    risky="ALTER TABLE t DETACH PARTITION p",
    safer="ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
    since=14,
    source="https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION",
    check=check,
)
