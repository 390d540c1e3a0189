"""Which of the names that a script takes away may be meant by one that it gives."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property

from migrations.sql import Name
from migrations.sql.ahead import Ahead
from migrations.sql.names import Key

_LIKE = 0.65
"""How much alike two of several names are, of 1, that may mean the same."""
_MOST = 2500
"""Pairs of names that are compared with each other; with more, they are taken in their order."""


class Likeness:
    """What each column and table that a script drops may be meant to become."""

    def __init__(self, ahead: Ahead) -> None:
        self._ahead = ahead
        self._columns: dict[Key, Mapping[str, str]] = {}

    def of_column(self, table: Name, column: str) -> str | None:
        """A column that the script adds to the table and does not fill; None where the old name goes to a copy."""
        if table.key not in self._columns:
            self._columns[table.key] = self._of_columns(table)
        return self._columns[table.key].get(column)

    def of_table(self, table: Name) -> Name | None:
        """A table that the script makes under another name, and leaves empty."""
        return self._tables.get(table.name)

    def _of_columns(self, table: Name) -> Mapping[str, str]:
        dropped = dict.fromkeys(self._ahead.of(table).columns_dropped)
        added = dict.fromkeys(self._ahead.of(table).columns_left_empty)
        likely = pairs([name for name in dropped if name not in added], [name for name in added if name not in dropped])
        renamed = {old: new for old, new in likely.items() if old not in self._ahead.of(table).columns_named}
        return renamed | {name: name for name in dropped if name in added}

    @cached_property
    def _tables(self) -> Mapping[str, Name]:
        made = {name.name: name for name in self._ahead.tables_left_empty}
        dropped = dict.fromkeys(name.name for name in self._ahead.tables_dropped if name.name not in made)
        return {old: made[new] for old, new in pairs(list(dropped), list(made)).items()}


def pairs(taken: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """Names of the first kind, each with the one of the second that looks most like it. Of one and one, these."""
    if len(taken) * len(given) > _MOST:
        return dict(zip(taken, given, strict=False))
    least = _LIKE if len(taken) * len(given) > 1 else 0
    likeness = [(_likeness(old, new), old, new) for old in taken for new in given]
    found: dict[str, str] = {}
    free = set(given)
    for likely, old, new in sorted(likeness, key=lambda one: -one[0]):
        if likely >= least and old not in found and new in free:
            found[old] = new
            free.discard(new)
    return found


def _likeness(old: str, new: str) -> float:
    return SequenceMatcher(None, _plain(old), _plain(new)).ratio()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
