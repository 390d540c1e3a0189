"""What a database tells of the things that pending scripts speak of. Nothing here needs a connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from migrations.sql.names import Name, shown

Kind = Literal[
    "table", "partitioned table", "index", "view", "materialized view", "sequence", "foreign table", "composite type"
]
Volatility = Literal["immutable", "stable", "volatile"]


@dataclass(frozen=True, slots=True)
class Type:
    """A type with its modifiers: `varchar(20)` is `pg_catalog.varchar` and (20,). Of an array, its elements'."""

    name: Name
    modifiers: tuple[int, ...] = ()
    array: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """`never_null`: NOT NULL, or a validated CHECK proves it."""

    name: str
    type: Type
    not_null: bool = False
    never_null: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """`columns` in the order of the index; an expression is empty. `constraint`: what it was made by."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    valid: bool = True
    partial: bool = False
    constraint: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key, as one of its two tables sees it."""

    name: str
    columns: tuple[str, ...]
    partner: Name


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something that would keep `column` (empty: the relation as a whole) from being dropped.

    `words` as the server says it: `view sales`, `policy p on table t`. `name` is that of a view, empty for other
    things; `part` is that of a constraint, trigger, policy, or column with a default, and `of` the table it is part of.
    """

    column: str
    words: str
    name: Name
    of: Name | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """Counted since `since` (empty: it is not known since when). `rate`s are by the second; None if not known."""

    writes: int
    reads: int
    since: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of the target. With partitions or heirs, sizes, rows and activity are those of all of them.

    `rows` is the server's own estimate, None where it was never analysed. Sizes are bytes: of the table itself, of
    what is stored beside it (TOAST), and of its indexes; None where they are not known. `sized` says how they were
    got: `now`, or as of the last VACUUM or ANALYZE (`analysed`), because somebody holds a lock that shuts readers out.
    `sessions` are others that hold or want a lock on it. `default` is its default partition. `unvalidated` are its
    constraints that not all rows were held against. `table`: of an index, what it is an index of.
    """

    name: Name
    kind: Kind
    visible: bool = True
    rows: int | None = None
    heap: int | None = None
    toast: int = 0
    indexes_size: int = 0
    sized: Literal["now", "analysed"] = "now"
    columns: tuple[Column, ...] = ()
    indexes: tuple[Index, ...] = ()
    keys_out: tuple[Key, ...] = ()
    keys_in: tuple[Key, ...] = ()
    parent: Name | None = None
    default: Name | None = None
    partitions: int = 0
    triggers: int = 0
    dead: int | None = None
    activity: Activity | None = None
    sessions: int = 0
    publications: tuple[str, ...] = ()
    dependents: tuple[Dependent, ...] = ()
    swept: tuple[Dependent, ...] = ()
    unvalidated: tuple[str, ...] = ()
    table: Name | None = None
    valid: bool = True

    @property
    def shown(self) -> str:
        """Its name, without the schema where the search path leads to it."""
        return shown(self.name.name) if self.visible else str(self.name)

    @property
    def bytes(self) -> int | None:
        """All that it takes on disk, indexes too; None if that is not known."""
        return None if self.heap is None else self.heap + self.toast + self.indexes_size

    @property
    def empty(self) -> bool:
        """There is no row in it: not one page was ever written, or all were given back."""
        return self.heap == 0 and self.sized == "now"

    def column(self, name: str) -> Column | None:
        """One of its columns."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class KnownType:
    """A type, domain or enum of the target. `checked`: a domain whose values are checked, or may not be null.

    `volatile`: a domain with a default that differs from row to row.
    """

    name: Name
    kind: Literal["base", "domain", "enum", "composite", "range"]
    base: Type | None = None
    checked: bool = False
    volatile: bool = False
    users: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """All that was read. Names are resolved as the server would, by the search path of the connection.

    Each thing stands there under every name that a script has for it, and under its own. `missing`: in words, what
    could not be read. `slots` are the logical replication slots of this database. `relabels`: pairs of types whose
    values are stored alike. `utc`: the session's time zone is UTC, unless the script sets another.
    """

    relations: Mapping[Name, Relation] = field(default_factory=dict)
    types: Mapping[Name, KnownType] = field(default_factory=dict)
    functions: Mapping[str, Volatility] = field(default_factory=dict)
    schemas: Mapping[str, tuple[Name, ...]] = field(default_factory=dict)
    slots: tuple[str, ...] = ()
    relabels: frozenset[tuple[Name, Name]] = frozenset()
    utc: bool = False
    missing: tuple[str, ...] = ()

    def relation(self, name: Name) -> Relation | None:
        """What a script calls by this name; None where there is no such thing, or it could not be read."""
        return self.relations.get(name)

    def type(self, name: Name) -> KnownType | None:
        """The same for a type."""
        return self.types.get(name)
