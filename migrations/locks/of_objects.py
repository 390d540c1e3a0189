"""What is dropped, renamed, moved, replaced and described, and what that locks."""

from collections.abc import Iterator

from migrations.locks.lock import Hinge, Lock, Through, Touch
from migrations.locks.of_parts import AE, SUE
from migrations.locks.of_tables import downward
from migrations.sql import actions as a
from migrations.sql.names import Name
from migrations.sql.thing import RELATIONS

_ON_RELATION = RELATIONS | {"column"}
_IN_TABLE = frozenset({"constraint", "trigger", "policy", "rule"})
_DOWNWARD = frozenset({"column", "constraint", "trigger"})


def create(action: a.Create) -> Iterator[Touch]:
    """A view that may be there already is locked; so is what it reads."""
    if action.replace and action.kind == "view":
        yield Touch(action.name, AE)
    runs = action.kind == "materialized view"
    for name in action.reads:
        yield Touch(name, Lock.ACCESS_SHARE)
        if runs:
            yield Touch(name, Lock.ACCESS_SHARE, through=Through("rows"))


def drop(action: a.Drop) -> Iterator[Touch]:
    """What is dropped, what cannot be without it, and with CASCADE what could."""
    if action.kind in ("table", "foreign table"):
        yield from downward(action.name, AE, "brief")
        for through in ("referenced", "parent", "default beside"):
            yield Touch(action.name, AE, through=Through(through))
    elif action.kind == "index":
        lock = SUE if action.concurrently else AE
        yield Touch(action.name, lock)
        yield Touch(action.name, lock, through=Through("table"))
    elif action.kind in RELATIONS:
        yield Touch(action.name, AE)
    elif action.kind == "statistics":
        yield Touch(action.name, SUE, through=Through("table", of="statistics"))
    elif action.kind == "all that is owned by":
        yield Touch(action.name, AE, through=Through("owned"))
    if action.cascade or action.kind == "extension":
        yield Touch(action.name, AE, through=Through("depending", of=action.kind))


def rename(action: a.Rename) -> Iterator[Touch]:
    """Only a new name for an index lets others go on; that of a type or schema locks no table."""
    if action.old is None and action.kind in RELATIONS:
        yield Touch(action.table, SUE if action.kind == "index" else AE)
    elif action.kind in _DOWNWARD and action.within != "type":
        yield from downward(action.table, AE, "brief", only=action.only)
    elif action.kind in _IN_TABLE:
        yield Touch(action.table, AE)


def move(action: a.MoveToSchema) -> Iterator[Touch]:
    """ALTER … SET SCHEMA."""
    if action.kind in RELATIONS:
        yield Touch(action.name, AE)


def comment(action: a.Comment) -> Iterator[Touch]:
    """COMMENT ON: what a table holds is described under the weakest lock."""
    if action.kind in _ON_RELATION:
        yield Touch(action.name, SUE)
    elif action.kind in _IN_TABLE:
        yield Touch(action.name, Lock.ACCESS_SHARE)


def publish(action: a.Publish) -> Iterator[Touch]:
    """CREATE PUBLICATION, ALTER PUBLICATION."""
    for table in action.tables:
        yield Touch(table, SUE)
    if action.replaces:
        yield Touch(Name(None, action.publication), SUE, through=Through("published"))


def create_statistics(action: a.CreateStatistics) -> Iterator[Touch]:
    """CREATE STATISTICS."""
    yield Touch(action.on, SUE)


def reassign_owned(action: a.ReassignOwned) -> Iterator[Touch]:
    """REASSIGN OWNED BY."""
    yield Touch(Name(None, action.role), AE, through=Through("owned"))


def alter_domain(action: a.AlterDomain) -> Iterator[Touch]:
    """A new rule for the values of a domain is checked wherever there are some."""
    checks = action.what in ("add constraint", "set not null", "validate constraint")
    if checks and not action.not_valid:
        known = action.what == "validate constraint" and action.constraint
        hinge = Hinge("validated", "brief", (action.constraint or "",)) if known else None
        yield Touch(action.domain, Lock.SHARE, "scan", Through("users"), hinge)
