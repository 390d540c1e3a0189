"""ATTACH PARTITION: the table that comes in is read from end to end, while nobody else can use it."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Unless the script made the partition, or put a CHECK on it that may say what its bounds say."""
    for action in statement.actions:
        match action:
            case a.AttachPartition(table=table, partition=partition):
                if seen.is_new(partition) or seen.thing(partition).is_checked:
                    continue
                yield Found(
                    f"nobody can read or write {partition} while all of it is checked against its bounds, unless a "
                    f"CHECK proves them already; indexes of {table} that it lacks are built meanwhile",
                    (partition, table),
                    subject=str(partition),
                    instead=f"Build its indexes first, and ALTER TABLE {partition} ADD CONSTRAINT … CHECK … NOT VALID "
                    "that says the same as the bounds, and not null; VALIDATE it; then this; then drop the CHECK.",
                )


RULE = Rule(
    code="partition-attach-without-check",
    title="Attaches a partition that must be read first",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE p (c int) PARTITION BY RANGE (c); CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM (0) TO (10)",
    safer="ALTER TABLE t ADD CONSTRAINT within CHECK (c IS NOT NULL AND c >= 0 AND c < 10) NOT VALID; "
    "ALTER TABLE t VALIDATE CONSTRAINT within; "
    "ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM (0) TO (10); "
    "ALTER TABLE t DROP CONSTRAINT within",
    source="https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION",
    about=(a.AttachPartition,),
    check=check,
)
