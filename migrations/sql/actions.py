"""What a statement does, told without its grammar: rules and facts are made from these."""

from dataclasses import dataclass
from typing import Literal

from migrations.sql.names import Name

ReindexKind = Literal["index", "table", "schema", "system", "database"]
TransactionKind = Literal["begin", "commit", "rollback", "savepoint", "release", "rollback to", "prepare", "set"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """`columns` are the constrained ones; `proves_not_null` those that a CHECK says are never null."""

    kind: Literal["check", "foreign key", "unique", "primary key", "exclude", "not null"]
    name: str | None = None
    columns: tuple[str, ...] = ()
    references: Name | None = None
    not_valid: bool = False
    using_index: str | None = None
    proves_not_null: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """`default` holds the functions that its default calls: None without a default, empty for a constant one."""

    name: str
    type: str
    not_null: bool = False
    default: tuple[str, ...] | None = None
    generated: Literal["identity", "stored", "virtual"] | None = None
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateTable:
    """`filled`: made from a query, with `calls` as in Query. `temporary` tables are nobody else's. `reads`: what it is
    like, or filled from.
    """

    table: Name
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    partition_of: Name | None = None
    if_not_exists: bool = False
    temporary: bool = False
    filled: bool = False
    inherits: tuple[Name, ...] = ()
    reads: tuple[Name, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddColumn:
    table: Name
    column: Column
    if_not_exists: bool = False
    only: bool = False


@dataclass(frozen=True, slots=True)
class DropColumn:
    table: Name
    column: str
    cascade: bool = False
    only: bool = False


@dataclass(frozen=True, slots=True)
class AlterType:
    """The column gets another type; `using` if an expression computes the new value.

    `computed`: it does more than cast the column to that type. `unread`: it does not read the column at all.
    `collated`: a collation is named.
    """

    table: Name
    column: str
    type: str
    using: bool = False
    only: bool = False
    computed: bool = False
    collated: bool = False
    unread: bool = False


@dataclass(frozen=True, slots=True)
class SetNotNull:
    table: Name
    column: str
    only: bool = False


@dataclass(frozen=True, slots=True)
class DropNotNull:
    table: Name
    column: str
    only: bool = False


@dataclass(frozen=True, slots=True)
class SetDefault:
    """`dropped`: the default is taken away."""

    table: Name
    column: str
    dropped: bool = False
    only: bool = False


@dataclass(frozen=True, slots=True)
class AddConstraint:
    table: Name
    constraint: Constraint
    only: bool = False


@dataclass(frozen=True, slots=True)
class ValidateConstraint:
    table: Name
    constraint: str
    only: bool = False


@dataclass(frozen=True, slots=True)
class DropConstraint:
    table: Name
    constraint: str
    cascade: bool = False
    only: bool = False


@dataclass(frozen=True, slots=True)
class AlterTable:
    """Any other change of a table: `what` in words (`enable trigger`, `set storage`), `name` that of its part.

    `options`: the storage parameters that it is about; `tables`: the others that it names. `only`: not what inherits.
    """

    table: Name
    what: str
    name: str | None = None
    options: tuple[str, ...] = ()
    tables: tuple[Name, ...] = ()
    only: bool = False


@dataclass(frozen=True, slots=True)
class AlterRelation:
    """A change of what is table-like and no table: `kind` in words (`index`, `view`, `sequence`), `what` as above."""

    kind: str
    name: Name
    what: str
    options: tuple[str, ...] = ()
    tables: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment or a security label. `kind` in words is of what; `name` of the table that holds it, if one does."""

    kind: str
    name: Name


@dataclass(frozen=True, slots=True)
class Publish:
    """A publication is made or changed. `replaces`: what it held before is taken out, if it is not named again."""

    publication: str
    tables: tuple[Name, ...] = ()
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class CreateStatistics:
    name: Name | None
    on: Name


@dataclass(frozen=True, slots=True)
class ReassignOwned:
    role: str


@dataclass(frozen=True, slots=True)
class Rename:
    """`table` is what holds a column or constraint, or the renamed thing itself; `old` is None for the latter.

    `within`: the kind of what holds a column or constraint, empty where nothing does.
    """

    kind: str
    table: Name
    old: str | None
    new: str
    within: str = ""
    only: bool = False


@dataclass(frozen=True, slots=True)
class MoveToSchema:
    kind: str
    name: Name
    schema: str


@dataclass(frozen=True, slots=True)
class AttachPartition:
    table: Name
    partition: Name


@dataclass(frozen=True, slots=True)
class DetachPartition:
    table: Name
    partition: Name
    concurrently: bool = False


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """`index` is None where the server makes up its name. `partial`: it has a WHERE."""

    table: Name
    index: Name | None
    columns: tuple[str, ...] = ()
    unique: bool = False
    concurrently: bool = False
    if_not_exists: bool = False
    partial: bool = False
    only: bool = False


@dataclass(frozen=True, slots=True)
class Reindex:
    kind: ReindexKind
    name: Name | None
    concurrently: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    """Any other thing that is made: `kind` in words (`view`, `type`, `function`). `alone`: not in a transaction.

    `checked`: a domain that not every value of its type satisfies; `default` are the functions that its default calls.
    `replace`: it may be there already. `reads`: the relations in its query.
    """

    kind: str
    name: Name
    alone: bool = False
    checked: bool = False
    default: tuple[str, ...] = ()
    replace: bool = False
    reads: tuple[Name, ...] = ()


COMPUTED_WITH = (
    *("function", "routine", "language", "operator", "operator class", "operator family", "access method"),
    *("text search configuration", "text search dictionary", "text search parser", "text search template"),
)
"""Kinds of things by which columns are computed, and tables partitioned or stored: with CASCADE, these go, too."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One thing that is dropped; `kind` in words (`table`, `index`, `materialized view`, `schema`, `type`)."""

    kind: str
    name: Name
    cascade: bool = False
    if_exists: bool = False
    concurrently: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Truncate:
    table: Name
    cascade: bool = False
    only: bool = False


@dataclass(frozen=True, slots=True)
class Insert:
    """`rows` is 0 where a query gives them. `calls`, here and below: as in Query."""

    table: Name
    rows: int = 0
    reads: tuple[Name, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """`everything`: there is no WHERE, and nothing else that narrows it. `kept`: the columns of which only nulls go."""

    table: Name
    columns: tuple[str, ...] = ()
    everything: bool = False
    only: bool = False
    reads: tuple[Name, ...] = ()
    kept: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    table: Name
    everything: bool = False
    only: bool = False
    reads: tuple[Name, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """`deletes`: one of its branches deletes rows without a condition of its own; the join alone says which."""

    table: Name
    reads: tuple[Name, ...] = ()
    calls: tuple[str, ...] = ()
    deletes: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT. `calls` are the functions called in it that are not known to be harmless.

    `locks_rows`: the tables of which it locks rows, by FOR UPDATE and its like.
    """

    calls: tuple[str, ...] = ()
    reads: tuple[Name, ...] = ()
    locks_rows: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class AlterDomain:
    """`what` in words (`add constraint`, `set not null`); `constraint` is the one that it is about."""

    domain: Name
    what: str
    constraint: str | None = None
    not_valid: bool = False


@dataclass(frozen=True, slots=True)
class AddEnumValue:
    type: Name
    value: str


@dataclass(frozen=True, slots=True)
class Set:
    """A session setting is changed. `value` is None for its default; `setting` is `*` for all, or if unknown which."""

    setting: str
    value: str | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class Transaction:
    """`set`: SET TRANSACTION. `chain`: the next transaction begins at once. `name`: of a savepoint."""

    kind: TransactionKind
    chain: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class RunCode:
    """A DO block. `body` is its source."""

    language: str
    body: str


@dataclass(frozen=True, slots=True)
class Call:
    """A procedure, or a prepared statement, is run."""

    name: str


@dataclass(frozen=True, slots=True)
class SecretGiven:
    """A password stands in the script; the text itself is not kept here. `hashed`: only a SCRAM verifier of it."""

    where: str
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class LockTable:
    table: Name
    mode: str
    only: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """`from_client`: COPY … FROM STDIN or TO STDOUT, whose data only a client such as psql can send or take.

    `program`: it runs one on the server.
    """

    table: Name | None
    into: bool
    from_client: bool
    reads: tuple[Name, ...] = ()
    calls: tuple[str, ...] = ()
    program: bool = False


@dataclass(frozen=True, slots=True)
class Maintain:
    """VACUUM, ANALYZE, CLUSTER, REFRESH: `what` in lower-case words. `alone`: not in a transaction."""

    what: str
    table: Name | None
    concurrently: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Other:
    """A statement of a known kind without a risk of its own: `what` in words. `alone`: not in a transaction."""

    what: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """A statement that nothing is known of; `why` in words."""

    why: str


Action = (
    CreateTable
    | AddColumn
    | DropColumn
    | AlterType
    | SetNotNull
    | DropNotNull
    | SetDefault
    | AddConstraint
    | ValidateConstraint
    | DropConstraint
    | AlterTable
    | AlterRelation
    | Comment
    | Publish
    | CreateStatistics
    | ReassignOwned
    | Rename
    | MoveToSchema
    | AttachPartition
    | DetachPartition
    | CreateIndex
    | Reindex
    | Create
    | Drop
    | Truncate
    | Insert
    | Update
    | Delete
    | Merge
    | Query
    | AlterDomain
    | AddEnumValue
    | Set
    | Transaction
    | RunCode
    | Call
    | SecretGiven
    | LockTable
    | Copy
    | Maintain
    | Other
    | Unknown
)
