"""Table locks, and what a statement does to a table while it holds one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from migrations.sql.names import Name

Work = Literal["brief", "scan", "build", "rewrite", "data"]


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


@dataclass(frozen=True, slots=True)
class Touch:
    """What one statement does to one relation that others use: its strongest `lock` there, and the work under it.

    `work` says how long: `brief` changes the catalog only, `scan` reads every row, `build` makes an index,
    `rewrite` writes the whole table anew, `data` changes as many rows as it finds.
    """

    relation: Name
    lock: Lock
    work: Work = "brief"
