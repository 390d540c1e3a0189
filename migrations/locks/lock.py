"""Table locks, and what a statement does to a table while it holds one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from migrations.sql.names import Name

Work = Literal["brief", "data", "scan", "build", "rewrite"]

ThroughKind = Literal[
    "descendants",
    "parent",
    "default partition",
    "default beside",
    "referenced",
    "referencing",
    "truncated along",
    "rows",
    "table",
    "indexes",
    "sources",
    "users",
    "depending",
    "members",
    "owned",
    "published",
    "everything",
]

HingeKind = Literal[
    "kept type",
    "never null",
    "index never null",
    "rows fit",
    "validated",
    "checked domain",
    "filling domain",
    "not volatile",
]


class Lock(StrEnum):
    """Table locks, weakest first, by the names of PostgreSQL's documentation."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def mode(self) -> str:
        """What `pg_locks.mode` calls it."""
        return f"{self.value.title().replace(' ', '')}Lock"

    @property
    def blocks(self) -> str:
        """What others cannot do to the table meanwhile, in words; empty where only row locks stand in the way."""
        match self:
            case Lock.ACCESS_EXCLUSIVE:
                return "reads and writes"
            case Lock.SHARE | Lock.SHARE_ROW_EXCLUSIVE | Lock.EXCLUSIVE:
                return "writes"
            case Lock.SHARE_UPDATE_EXCLUSIVE:
                return "DDL"
            case _:
                return ""

    @property
    def strength(self) -> int:
        """To compare two locks by: the larger one is the stronger."""
        return STRENGTH[self]


STRENGTH = {lock: place for place, lock in enumerate(Lock)}
EFFORT: dict[Work, int] = {"brief": 0, "data": 1, "scan": 2, "build": 3, "rewrite": 4}


@dataclass(frozen=True, slots=True)
class Through:
    """How a touch leads from the relation that a script names to those that are meant: only the target knows which.

    Of the relation: `descendants` are its partitions and heirs, all the way down; `parent` what it is a partition of;
    `default partition` its own one, `default beside` that of its parent. `referenced` are the tables that its foreign
    keys lead to, `referencing` those whose foreign keys lead to it, each with its partitions: with `columns`, only
    keys over one of these; with a `constraint`, only that one. `truncated along`: the referencing ones, those that
    reference these, and so on. `rows`: all that statements on its rows lead to, which are its descendants, what a view
    reads, and partners by foreign keys. `indexes` are its own, `sources` what a view or materialized view reads.
    `table` is that of the index or the statistics that is named, with its partitions. `depending` is whatever its
    CASCADE takes along or changes, `of` being the kind of what is named; with `columns` or a `constraint`, that of
    these alone. `users` are the tables with a column of the type, `members` all of the schema, `owned` all of the role,
    `published` all of the publication, `everything` all of the database: their name is that of no relation.
    """

    kind: ThroughKind
    columns: tuple[str, ...] = ()
    constraint: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True)
class Hinge:
    """What the work hangs on that only the target knows: where it holds there, the work is `work` instead.

    `kept type`: the column `of[0]` keeps its values on disk as they are when its type becomes `of[1]`. `never null`:
    the columns `of` are NOT NULL, or a validated CHECK proves it; `index never null`: those of the index `of[0]`.
    `rows fit`: a CHECK proves that all rows are the partition's. `validated`: the constraint `of[0]` is so already.
    `checked domain`: the type `of[0]` is a domain with a constraint; `filling domain`: or with a volatile default.
    `not volatile`: none of the functions `of` is.
    """

    kind: HingeKind
    work: Work
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Touch:
    """What one statement does to one relation that was there before its script: the strongest `lock`, and the work.

    `relation` has the name that it bears before the script. `work` says how long: `brief` changes the catalog only,
    `data` as many rows as it finds, `scan` reads every row, `build` makes an index, `rewrite` writes the whole table
    anew. With `through`, not `relation` itself is meant, but what it leads to. With a `hinge`, the target may know
    better about the work.
    """

    relation: Name
    lock: Lock
    work: Work = "brief"
    through: Through | None = None
    hinge: Hinge | None = None
