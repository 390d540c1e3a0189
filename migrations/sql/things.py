"""What a script makes and changes beside tables and columns: indexes, triggers, policies, types and their like."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrations.sql import actions as a
from migrations.sql.actions import Action
from migrations.sql.names import Name
from migrations.sql.script import Statement

Key = tuple[str, str]

_SWITCHES_ON = (
    "enable trigger",
    "enable trigger all",
    "enable trigger user",
    "enable always trigger",
    "enable replica trigger",
)


@dataclass(frozen=True, slots=True)
class FreshValue:
    """A value that statement `by` adds to an enum which was there before."""

    type: Name
    value: str
    by: Statement


class Things:
    """The state between two statements; of triggers and policies, what later ones make is known too."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._made: set[tuple[str, Key]] = set()
        self._dropped: set[tuple[str, Key]] = set()
        self._settings: dict[str, str] = {}
        self._index_on: dict[Key, Name] = {}
        self._index_later: dict[Key, Name] = {}
        self._unique: set[Key] = set()
        self._checked: set[Key] = set()
        self._fresh: list[tuple[str, FreshValue]] = []
        self._policies: set[Key] = set()
        self._switched_on: dict[tuple[Key, str | None], int] = {}
        self._triggers: dict[tuple[Key, str], int] = {}
        for statement in statements:
            for action in statement.actions:
                self._look_ahead(statement.index, action)

    def is_made(self, kind: str, name: Name) -> bool:
        """This script made it. `kind` in words, as of `Create`."""
        return (kind, name.key) in self._made

    def setting(self, name: str) -> str | None:
        """What the script has set for the session; None if it has not."""
        return self._settings.get(name)

    def is_dropped(self, kind: str, name: Name) -> bool:
        """This script has dropped it, and has not made it anew."""
        return (kind, name.key) in self._dropped

    def index_on(self, index: Name) -> Name | None:
        """The table of an index that this script made, or makes later under the same name."""
        return self._index_on.get(index.key) or self._index_later.get(index.key)

    def is_uniquely_indexed(self, table: Name) -> bool:
        """This script has made a unique index on columns of it, for all rows."""
        return table.key in self._unique

    def is_checked(self, table: Name) -> bool:
        """This script has added a CHECK to the table, and has checked it."""
        return table.key in self._checked

    def has_policy(self, table: Name) -> bool:
        """This script makes a policy for the table, before or after this statement."""
        return table.key in self._policies

    def trigger_made_later(self, table: Name, trigger: str, statement: Statement) -> int | None:
        """The index of a later statement that creates a trigger of this name."""
        made = self._triggers.get((table.key, trigger), -1)
        return made if made > statement.index else None

    def is_trigger_switched_on_later(self, table: Name, trigger: str | None, statement: Statement) -> bool:
        """A later statement enables the trigger, or all of the table; for None it is to be all."""
        later = max(self._switched_on.get((table.key, which), -1) for which in (trigger, None))
        return later > statement.index

    def fresh_values_in(self, statement: Statement) -> Iterator[FreshValue]:
        """The new values of enums whose literal stands in a statement; not where it is there to add another one."""
        if self._fresh and statement.facts.adds_enum_value is None and "'" in statement.text:
            between = set(statement.text.split("'"))
            for literal, fresh in self._fresh:
                if (fresh.value in between or "'" in fresh.value) and literal in statement.text:
                    yield fresh

    def take_in(self, statement: Statement) -> None:
        """The statement is behind us now."""
        for action in statement.actions:
            self._take_in(action)
            match action:
                case a.AddEnumValue(type=type, value=value) if not self.is_made("type", type):
                    literal = "'" + value.replace("'", "''") + "'"
                    self._fresh.append((literal, FreshValue(type, value, statement)))

    def _look_ahead(self, index: int, action: Action) -> None:
        match action:
            case a.CreateIndex(table=table, index=Name() as name):
                self._index_later[name.key] = table
            case a.AlterTable(table=table, what="create policy"):
                self._policies.add(table.key)
            case a.AlterTable(table=table, what="create trigger" | "create or replace trigger", name=str(name)):
                self._triggers[table.key, name] = index
            case a.AlterTable(table=table, what=what, name=name) if what in _SWITCHES_ON:
                self._switched_on[table.key, name] = index

    def _take_in(self, action: Action) -> None:
        match action:
            case a.Create(kind=kind, name=name, replace=False):
                self._made.add((kind, name.key))
            case a.Set(setting="*"):
                self._settings.clear()
            case a.Set(setting=setting, value=value, local=False):
                self._settings[setting] = value or ""
            case a.CreateIndex(table=table, index=index, unique=unique, partial=partial, columns=columns):
                if unique and not partial and "expression" not in columns:
                    self._unique.add(table.key)
                if index:
                    self._index_on[index.key] = table
                    self._dropped.discard(("index", index.key))
            case a.Drop(kind=kind, name=name):
                self._made.discard((kind, name.key))
                self._dropped.add((kind, name.key))
                if kind == "index":
                    self._index_on.pop(name.key, None)
            case a.Rename(kind="index", table=index, new=new) if index.key in self._index_on:
                self._index_on[Name(index.schema, new).key] = self._index_on.pop(index.key)
            case a.Rename(kind=kind, table=name, old=None, new=new) if (kind, name.key) in self._made:
                self._made.discard((kind, name.key))
                self._made.add((kind, Name(name.schema, new).key))
            case a.AddConstraint(table=table, constraint=a.Constraint(kind="check", not_valid=False)):
                self._checked.add(table.key)
            case a.ValidateConstraint(table=table):
                self._checked.add(table.key)
