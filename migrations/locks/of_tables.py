"""What CREATE TABLE, the larger parts of ALTER TABLE, and indexes lock."""

from collections.abc import Iterable, Iterator

from migrations.locks.lock import EFFORT, Hinge, HingeKind, Lock, Through, Touch, Work
from migrations.locks.of_parts import AE, SRE, SUE
from migrations.sql import actions as a
from migrations.sql.names import Name
from migrations.sql.volatility import unknown, volatile

_BUILT_IN = frozenset(
    """
    bigint bigserial bit bool boolean box bytea char character cidr circle citext date daterange decimal float4 float8
    double hstore inet int int2 int4 int4range int8 int8range integer interval json jsonb jsonpath line lseg macaddr
    money name numeric numrange oid path point polygon real regclass serial serial2 serial4 serial8 smallint
    smallserial text time timestamp timestamptz timetz tsquery tsrange tstzrange tsvector uuid varbit varchar vector xml
    """.split()  # noqa: SIM905 (one on each line would hide the file behind them)
)
"""Types that are certainly no domains."""
SERIALS = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})


def downward(table: Name, lock: Lock, work: Work, *, only: bool = False, hinge: Hinge | None = None) -> Iterator[Touch]:
    """A table with its partitions and heirs, unless ONLY stands before it."""
    yield Touch(table, lock, work, hinge=hinge)
    if not only:
        yield Touch(table, lock, work, Through("descendants"), hinge)


def create_table(action: a.CreateTable) -> Iterator[Touch]:
    """The new table is nobody's; those that it reads, inherits from, belongs to and references are."""
    for name in action.reads:
        yield Touch(name, Lock.ACCESS_SHARE)
        yield Touch(name, Lock.ACCESS_SHARE, through=Through("rows"))
    for name in action.inherits:
        yield Touch(name, SUE)
    if action.partition_of:
        yield Touch(action.partition_of, AE)
        yield from _beside_partitions(action.partition_of, "brief")
    keys = (*action.constraints, *(c for column in action.columns for c in column.constraints))
    yield from _referenced(action.table, keys, "brief")


def _beside_partitions(parent: Name, keys: Work) -> Iterator[Touch]:
    """What a new partition costs others: no row of the default one may be its own, and foreign keys are made anew."""
    yield Touch(parent, AE, "scan", Through("default partition"))
    yield Touch(parent, SRE, keys, Through("referenced"))
    yield Touch(parent, SRE, keys, Through("referencing"))


def _referenced(table: Name, constraints: Iterable[a.Constraint], work: Work) -> Iterator[Touch]:
    for constraint in constraints:
        if constraint.references and constraint.references.key != table.key:
            yield from downward(constraint.references, SRE, work)


def add_column(action: a.AddColumn) -> Iterator[Touch]:
    """Only what each row must be given or asked for takes long."""
    column = action.column
    filled = column.default is not None
    work = max((_work_of_value(column), *_work_of_rules(column)), key=EFFORT.__getitem__)
    yield from downward(action.table, AE, work, only=action.only, hinge=_hinge_of(column, work))
    yield from _referenced(action.table, column.constraints, "scan" if filled else "brief")


def _work_of_value(column: a.Column) -> Work:
    if column.generated in ("stored", "identity") or column.type in SERIALS:
        return "rewrite"
    calls = column.default or ()
    return "rewrite" if volatile(calls) or unknown(calls) else "brief"


def _work_of_rules(column: a.Column) -> Iterator[Work]:
    kinds = {constraint.kind for constraint in column.constraints}
    if kinds & {"unique", "primary key"}:
        yield "build"
    filled = column.default is not None
    if "check" in kinds or (filled and "foreign key" in kinds) or (column.not_null and not filled):
        yield "scan"


def _hinge_of(column: a.Column, work: Work) -> Hinge | None:
    calls = column.default or ()
    if work == "rewrite":
        doubtful = unknown(calls)
        certain = column.generated or column.type in SERIALS or volatile(calls)
        return Hinge("not volatile", "brief", doubtful) if doubtful and not certain else None
    name = column.type.split("(")[0].split(" ")[0]
    domain = name not in _BUILT_IN and not column.type.endswith("[]")
    kind: HingeKind = "filling domain" if column.default is None else "checked domain"
    return Hinge(kind, "rewrite", (column.type,)) if domain else None


def drop_column(action: a.DropColumn) -> Iterator[Touch]:
    """With it go its foreign keys, of which the other side is locked too."""
    yield from downward(action.table, AE, "brief", only=action.only)
    yield Touch(action.table, AE, through=Through("referenced", columns=(action.column,)))
    if action.cascade:
        yield Touch(action.table, AE, through=Through("depending", columns=(action.column,), of="table"))


def alter_type(action: a.AlterType) -> Iterator[Touch]:
    """Foreign keys over the column are checked anew, from either side."""
    kept: Work = "build" if action.collated else "brief"
    hinge = None if action.computed else Hinge("kept type", kept, (action.column, action.type))
    columns = (action.column,)
    yield from downward(action.table, AE, "rewrite", only=action.only, hinge=hinge)
    yield Touch(action.table, AE, "scan", Through("referenced", columns), hinge)
    yield Touch(action.table, AE, "scan", Through("referencing", columns), hinge)


def set_not_null(action: a.SetNotNull) -> Iterator[Touch]:
    """Every row is looked at, unless it is known that none is null."""
    hinge = Hinge("never null", "brief", (action.column,))
    yield from downward(action.table, AE, "scan", only=action.only, hinge=hinge)


def of_column(action: a.DropNotNull | a.SetDefault) -> Iterator[Touch]:
    """Changes of the catalog only."""
    yield from downward(action.table, AE, "brief", only=action.only)


def add_constraint(action: a.AddConstraint) -> Iterator[Touch]:
    """What is checked, and how, hangs on the kind of constraint."""
    constraint = action.constraint
    lock = SRE if constraint.kind == "foreign key" else AE
    work: Work = "brief" if constraint.not_valid else "scan"
    hinge = None
    if constraint.using_index:
        primary = constraint.kind == "primary key"
        hinge = Hinge("index never null", "brief", (constraint.using_index,)) if primary else None
        work = "scan" if primary else "brief"
    elif constraint.kind in ("unique", "primary key", "exclude"):
        work = "build"
    elif constraint.kind == "not null" and work == "scan":
        hinge = Hinge("never null", "brief", constraint.columns)
    yield from downward(action.table, lock, work, only=action.only, hinge=hinge)
    yield from _referenced(action.table, (constraint,), work)


def validate_constraint(action: a.ValidateConstraint) -> Iterator[Touch]:
    """Rows are read while others write."""
    hinge = Hinge("validated", "brief", (action.constraint,))
    yield from downward(action.table, SUE, "scan", only=action.only, hinge=hinge)
    through = Through("referenced", constraint=action.constraint)
    yield Touch(action.table, Lock.ROW_SHARE, "scan", through, hinge)


def drop_constraint(action: a.DropConstraint) -> Iterator[Touch]:
    """Of a foreign key, both sides."""
    yield from downward(action.table, AE, "brief", only=action.only)
    yield Touch(action.table, AE, through=Through("referenced", constraint=action.constraint))
    if action.cascade:
        through = Through("depending", constraint=action.constraint, of="table")
        yield Touch(action.table, AE, through=through)


def attach_partition(action: a.AttachPartition) -> Iterator[Touch]:
    """The parent goes on being used; its new partition is read, and so is its default one."""
    fits = Hinge("rows fit", "brief")
    yield Touch(action.table, SUE)
    yield from downward(action.partition, AE, "scan", hinge=fits)
    yield from _beside_partitions(action.table, "scan")


def detach_partition(action: a.DetachPartition) -> Iterator[Touch]:
    """Without CONCURRENTLY nobody uses any partition meanwhile."""
    yield Touch(action.table, SUE if action.concurrently else AE)
    yield Touch(action.partition, AE)
    yield Touch(action.table, SRE, through=Through("referenced"))
    yield Touch(action.table, AE, "scan", Through("referencing"))
    if not action.concurrently:
        yield Touch(action.table, AE, through=Through("default partition"))


def create_index(action: a.CreateIndex) -> Iterator[Touch]:
    """CREATE INDEX."""
    lock = SUE if action.concurrently else Lock.SHARE
    yield from downward(action.table, lock, "build", only=action.only or action.concurrently)


def reindex(action: a.Reindex) -> Iterator[Touch]:
    """Reading plans look at every index of a table, so that its readers wait for one that is built anew."""
    whole, single = (SUE, SUE) if action.concurrently else (Lock.SHARE, AE)
    name = action.name or Name(None, "")
    if action.kind == "index":
        yield Touch(name, single, "build")
        yield Touch(name, whole, "build", Through("table"))
    elif action.kind == "table":
        yield from downward(name, whole, "build")
        yield Touch(name, single, "build", Through("indexes"))
    else:
        yield Touch(name, whole, "build", Through("members" if action.kind == "schema" else "everything"))
