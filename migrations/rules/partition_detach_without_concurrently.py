"""DETACH PARTITION: nobody reads or writes any part of the table until the transaction ends."""

from collections.abc import Iterator
from dataclasses import replace

from migrations.impact.foreseen import Foreseen
from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.words import put_last


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Only from a table that was there before."""
    for action in statement.actions:
        match action:
            case a.DetachPartition(table=table, partition=partition, concurrently=False) if not seen.is_new(table):
                yield replace(
                    _found(action),
                    instead="DETACH … CONCURRENTLY, in a migration of its own, where there is no default partition. If "
                    f"it is cancelled, ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE ends it.",
                    safer_sql=in_one(put_last(statement.text, "ALTER", "CONCURRENTLY"), when=ALONE),
                )


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """Beside a default partition there is no CONCURRENTLY."""
    for action in statement.actions:
        match action:
            case a.DetachPartition(table=table, concurrently=False) if parent := foreseen.relation(table):
                if parent.default:
                    yield replace(
                        _found(action),
                        instead=f"The server has no CONCURRENTLY here, because {table} has a default partition: do it "
                        "alone, at a quiet hour.",
                    )


def _found(action: a.DetachPartition) -> Found:
    table, partition = action.table, action.partition
    words = f"nobody can read or write {table} or {partition} from here to the end of the transaction"
    return Found(words, (table, partition), subject=str(partition))


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
    about=(a.DetachPartition,),
    check=check,
    look=look,
)
