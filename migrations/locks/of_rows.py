"""What statements on rows lock, and maintenance of tables."""

from collections.abc import Iterator

from migrations.locks.lock import Lock, Through, Touch, Work
from migrations.locks.of_parts import AE, SUE
from migrations.locks.of_tables import downward
from migrations.sql import actions as a
from migrations.sql.names import Name

_MAINTENANCE: dict[str, tuple[Lock, Work]] = {
    "vacuum": (SUE, "scan"),
    "vacuum full": (AE, "rewrite"),
    "analyze": (SUE, "brief"),
    "cluster": (AE, "rewrite"),
}


def writes(action: a.Insert | a.Update | a.Delete | a.Merge) -> Iterator[Touch]:
    """Rows are locked one by one: only changes of the table wait."""
    yield Touch(action.table, Lock.ROW_EXCLUSIVE, "data")
    yield Touch(action.table, Lock.ROW_EXCLUSIVE, "data", Through("rows"))
    yield from _reads(action.reads)


def _reads(names: tuple[Name, ...]) -> Iterator[Touch]:
    for name in names:
        yield Touch(name, Lock.ACCESS_SHARE)
        yield Touch(name, Lock.ACCESS_SHARE, through=Through("rows"))


def query(action: a.Query) -> Iterator[Touch]:
    """SELECT, FOR UPDATE."""
    yield from _reads(action.reads)
    for name in action.locks_rows:
        yield Touch(name, Lock.ROW_SHARE)
        yield Touch(name, Lock.ROW_SHARE, through=Through("rows"))


def copy(action: a.Copy) -> Iterator[Touch]:
    """COPY."""
    if action.table and action.into:
        yield Touch(action.table, Lock.ROW_EXCLUSIVE, "data")
        yield Touch(action.table, Lock.ROW_EXCLUSIVE, "data", Through("rows"))
    yield from _reads(action.reads if action.into or not action.table else (action.table, *action.reads))


def truncate(action: a.Truncate) -> Iterator[Touch]:
    """TRUNCATE."""
    yield from downward(action.table, AE, "brief", only=action.only)
    if action.cascade:
        yield Touch(action.table, AE, through=Through("truncated along"))


def lock_table(action: a.LockTable) -> Iterator[Touch]:
    """LOCK TABLE."""
    lock = Lock(action.mode)
    yield from downward(action.table, lock, "brief", only=action.only)
    yield Touch(action.table, lock, through=Through("sources"))


def maintain(action: a.Maintain) -> Iterator[Touch]:
    """VACUUM, ANALYZE, CLUSTER, REFRESH MATERIALIZED VIEW."""
    if action.what == "refresh materialized view" and action.table:
        yield Touch(action.table, *((Lock.EXCLUSIVE, "data") if action.concurrently else (AE, "rewrite")))
        yield Touch(action.table, Lock.ACCESS_SHARE, through=Through("sources"))
        return
    lock, work = _MAINTENANCE[action.what]
    if action.table is None:
        yield Touch(Name(None, ""), lock, work, Through("everything"))
    else:
        yield from downward(action.table, lock, work)
