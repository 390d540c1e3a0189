"""What stands anywhere in a script, before or after the statement that is looked at; what is true at it is `State`.

What the script takes back by a ROLLBACK of its own does not count.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

from migrations.sql import actions as a
from migrations.sql.actions import Action
from migrations.sql.facts import constraints_of, table_of
from migrations.sql.names import Key, Name
from migrations.sql.script import Script
from migrations.sql.thing import READ
from migrations.sql.undo import lasting

T = TypeVar("T", bound=Action)
Deed = tuple[int, Action]

_UNIQUE = ("unique", "primary key")
_SWITCHES_ON = (
    "enable trigger",
    "enable trigger all",
    "enable trigger user",
    "enable always trigger",
    "enable replica trigger",
)


class Fate:
    """What a script does with what bears one name. A number is the index of the last such statement, -1 for none."""

    def __init__(self, deeds: Sequence[Deed] = ()) -> None:
        self._deeds = deeds

    @cached_property
    def made(self) -> int:
        """It makes a table of the name."""
        return self._last(a.CreateTable)

    @cached_property
    def viewed(self) -> int:
        """It makes a view of the name."""
        return self._last(a.Create)

    @cached_property
    def named(self) -> int:
        """It gives the name to a table or view, new or not."""
        renamed = (index for index, x in self._deeds if isinstance(x, a.Rename) and x.old is None)
        return max(self.made, self.viewed, self._last(a.MoveToSchema), *renamed)

    @cached_property
    def is_dropped(self) -> bool:
        """It drops the table."""
        return bool(self._all(a.Drop))

    @cached_property
    def is_left_empty(self) -> bool:
        """It makes the table, and puts nothing into it after that."""
        empty = False
        for _, action in self._deeds:
            match action:
                case a.CreateTable(filled=False, temporary=False, partition_of=None):
                    empty = True
                case a.Insert() | a.Copy(into=True):
                    empty = False
        return empty

    @cached_property
    def columns(self) -> dict[str, a.Column]:
        """The columns that it adds, by their names."""
        return {action.column.name: action.column for action in self._all(a.AddColumn)}

    @cached_property
    def columns_left_empty(self) -> list[str]:
        """Those of them that it does not fill."""
        filled = {column for action in self._all(a.Update) for column in action.columns}
        return [name for name, column in self.columns.items() if not column.generated and name not in filled]

    @cached_property
    def columns_dropped(self) -> list[str]:
        """The columns that it drops."""
        return [action.column for action in self._all(a.DropColumn)]

    @cached_property
    def columns_named(self) -> set[str]:
        """The names that it gives to columns which have another one."""
        return {action.new for action in self._all(a.Rename) if action.kind == "column"}

    @cached_property
    def constraints(self) -> dict[str, a.Constraint]:
        """The constraints that it makes, by their names."""
        return {constraint.name: constraint for constraint in self._constraints if constraint.name}

    @cached_property
    def constraints_dropped(self) -> set[str]:
        """The names of those that it drops."""
        return {action.constraint for action in self._all(a.DropConstraint)}

    def is_indexed(self, columns: tuple[str, ...]) -> bool:
        """It makes an index that starts with these columns, in any order."""
        return any(set(columns) == set(index[: len(columns)]) for index in self._indexes)

    @cached_property
    def has_policy(self) -> bool:
        """It makes a policy for the table."""
        return any(action.what == "create policy" for action in self._all(a.AlterTable))

    @cached_property
    def triggers(self) -> dict[str | None, int]:
        """It creates the trigger of that name."""
        made = ("create trigger", "create or replace trigger")
        return {x.name: index for index, x in self._deeds if isinstance(x, a.AlterTable) and x.what in made}

    def switched_on(self, trigger: str | None) -> int:
        """It enables the trigger, or all of them; for None it is to be all."""
        return max(self._switched_on.get(which, -1) for which in (trigger, None))

    @cached_property
    def _switched_on(self) -> dict[str | None, int]:
        return {x.name: index for index, x in self._deeds if isinstance(x, a.AlterTable) and x.what in _SWITCHES_ON}

    @cached_property
    def _constraints(self) -> list[a.Constraint]:
        return [constraint for _, action in self._deeds for _, constraint in constraints_of(action)]

    @cached_property
    def _indexes(self) -> list[tuple[str, ...]]:
        keys = [constraint.columns for constraint in self._constraints if constraint.kind in _UNIQUE]
        return [*keys, *(action.columns for action in self._all(a.CreateIndex) if not action.partial)]

    def _all(self, kind: type[T]) -> list[T]:
        return [action for _, action in self._deeds if isinstance(action, kind)]

    def _last(self, kind: type[T]) -> int:
        return max((index for index, action in self._deeds if isinstance(action, kind)), default=-1)


_NONE = Fate()


class Ahead:
    """The index of a script, by the names of its tables and views."""

    def __init__(self, script: Script) -> None:
        self._statements = lasting(script)
        self._deeds: defaultdict[Key, list[Deed]] = defaultdict(list)
        self._fates: dict[Key, Fate] = {}
        for statement in self._statements:
            for action in statement.actions:
                if name := _subject(action):
                    self._deeds[name.key].append((statement.index, action))

    def of(self, name: Name) -> Fate:
        """What the script does with what bears the name."""
        if name.key in self._deeds and name.key not in self._fates:
            self._fates[name.key] = Fate(self._deeds[name.key])
        return self._fates.get(name.key, _NONE)

    @cached_property
    def tables_dropped(self) -> list[Name]:
        """The tables that it drops, whoever made them."""
        return list({x.name.key: x.name for x in self._all(a.Drop) if x.kind == "table"}.values())

    @cached_property
    def tables_left_empty(self) -> list[Name]:
        """The tables that it makes under a new name, and puts nothing into."""
        made = {action.table.key: action.table for action in self._all(a.CreateTable)}
        return [name for name in made.values() if self.of(name).is_left_empty and not self.of(name).is_dropped]

    @cached_property
    def renamed_constraints(self) -> list[tuple[Name, str | None]]:
        """The constraints that it renames, each with its table, by their old names."""
        return [(action.table, action.old) for action in self._all(a.Rename) if action.kind == "constraint"]

    @cached_property
    def index_tables(self) -> dict[Key, Name]:
        """The tables of the indexes that it makes, by the keys of these."""
        return {action.index.key: action.table for action in self._all(a.CreateIndex) if action.index}

    def _all(self, kind: type[T]) -> list[T]:
        return [x for statement in self._statements for x in statement.actions if isinstance(x, kind)]


def _subject(action: Action) -> Name | None:
    """The table or view that an action is about: where it is renamed or moved, under its new name."""
    match action:
        case a.Create(kind="view" | "materialized view", name=name):
            return name
        case a.Rename(kind=kind, table=table, old=None, new=new):
            return table._replace(name=new) if kind in READ else None
        case a.MoveToSchema(kind=kind, name=name, schema=schema):
            return Name(schema, name.name) if kind in READ else None
        case _:
            return table_of(action)
