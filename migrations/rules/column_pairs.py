"""Which of the columns that a script drops may be one that it adds, under its old name or another one."""

from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.seen import Seen

_MOST = 2500
"""Pairs of names that are compared with each other; with more, they are taken in their order."""


class Dropped(NamedTuple):
    """A dropped column that was there before, and the one that may be meant by it: None if the script adds none."""

    table: Name
    column: str
    becomes: str | None
    cascade: bool


def dropped_by(statement: Statement, seen: Seen) -> list[Dropped]:
    """The columns that a statement drops, but for those that the script made itself."""
    found = []
    for action in statement.actions:
        match action:
            case a.DropColumn(table=table, column=column, cascade=cascade):
                if not seen.is_certainly_new(table) and not seen.is_new_column(table, column):
                    found.append(Dropped(table, column, _becomes(table, column, seen), cascade))
    return found


def _becomes(table: Name, column: str, seen: Seen) -> str | None:
    added = tuple(dict.fromkeys(seen.left_empty(table)))
    if column in added:
        return column
    dropped = tuple(dict.fromkeys(seen.made.dropped_columns(table)))
    return _pairs(
        tuple(name for name in dropped if name not in added), tuple(name for name in added if name not in dropped)
    ).get(column)


@lru_cache(maxsize=64)
def _pairs(dropped: tuple[str, ...], added: tuple[str, ...]) -> dict[str, str]:
    """Each with the one that looks most like it."""
    if len(dropped) * len(added) > _MOST:
        return dict(zip(dropped, added, strict=False))
    likeness = [(_likeness(old, new), old, new) for old in dropped for new in added]
    pairs: dict[str, str] = {}
    for _, old, new in sorted(likeness, key=lambda found: -found[0]):
        if old not in pairs and new not in pairs.values():
            pairs[old] = new
    return pairs


def _likeness(old: str, new: str) -> float:
    return SequenceMatcher(None, _plain(old), _plain(new)).ratio()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
