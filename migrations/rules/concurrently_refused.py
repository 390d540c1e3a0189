"""CONCURRENTLY where the server does not have it: the script fails."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen
from migrations.impact.known import Relation
from migrations.rules.base import Found, Rule, Severity
from migrations.rules.situation import Situation
from migrations.rules.steps import by_partitions
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import Name

_UNIQUE = "a unique index on columns of it, without WHERE"


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The refresh of a view that the script made, and gave no such index."""
    for action in statement.actions:
        match action:
            case a.Maintain(what="refresh materialized view", table=Name() as view, concurrently=True):
                if seen.is_new(view) and not seen.thing(view).is_uniquely_indexed:
                    yield Found(
                        f"the server refuses this: {view} has no {_UNIQUE[2:]}",
                        (view,),
                        subject=str(view),
                        instead="Leave CONCURRENTLY out: nobody reads it yet.",
                    )


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """Partitioned tables, default partitions, and views without such an index."""
    for action in statement.actions:
        match action:
            case a.CreateIndex(table=name, concurrently=True) if _is_partitioned(foreseen.relation(name)):
                yield _refused(name, f"{name} is partitioned", by_partitions(name))
            case a.Drop(kind="index", name=name, concurrently=True) if index := foreseen.relation(name):
                if foreseen.known and index.table and _is_partitioned(foreseen.known.relation(index.table)):
                    yield _refused(name, f"{name} is the index of a partitioned table", "Leave CONCURRENTLY out.")
            case a.DetachPartition(table=name, concurrently=True) if table := foreseen.relation(name):
                if table.default:
                    yield _refused(name, f"{name} has a default partition", "Leave CONCURRENTLY out.")
            case a.Maintain(what="refresh materialized view", table=Name() as name, concurrently=True):
                view = foreseen.relation(name)
                if view and not _has_unique(view) and not seen.thing(name).is_uniquely_indexed:
                    why = f"{name} does not have {_UNIQUE}, unless an earlier script makes one"
                    yield _refused(name, why, f"First CREATE UNIQUE INDEX … ON {name} (…).", "warn")


def _refused(name: Name, why: str, instead: str, severity: Severity | None = None) -> Found:
    message = f"the server refuses this: {why}"
    return Found(message, (name,), subject=str(name), instead=instead, severity=severity)


def _is_partitioned(relation: Relation | None) -> bool:
    return relation is not None and relation.kind == "partitioned table"


def _has_unique(view: Relation) -> bool:
    return any(index.unique and index.valid and not index.partial and all(index.columns) for index in view.indexes)


RULE = Rule(
    code="concurrently-refused",
    title="Runs CONCURRENTLY where the server does not have it",
    severity="stop",
    fails="55000",
    setup="CREATE TABLE t (c int)",
    risky="CREATE MATERIALIZED VIEW m AS SELECT c FROM t; REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    safer="CREATE MATERIALIZED VIEW m AS SELECT c FROM t; CREATE UNIQUE INDEX i ON m (c); "
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    source="https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html",
    about=(a.CreateIndex, a.DetachPartition, a.Drop, a.Maintain),
    check=check,
    look=look,
)
