"""Names without a schema, in scripts that say themselves where these are to be looked for, or make what hides them.

Of several schemas, only the target knows which of them holds a thing that the script has not made.

This is at work while a script is read, so that whatever follows a script, such as `State`, meets names as the server
will find them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from migrations.sql import actions as a
from migrations.sql.names import Key, Name
from migrations.sql.settings import Settings
from migrations.sql.undo import Undo

T = TypeVar("T")

_SCHEMALESS = frozenset(
    {"schema", "database", "role", "extension", "tablespace", "subscription", "publication", "all that is owned by"}
    | {"server", "foreign data wrapper", "event trigger", "language", "access method", "cast", "transform"}
)
_NOT_ITS_OWN = ("$user", "pg_catalog", "pg_temp")


class SearchPath:
    """Follows `SET search_path` through a script; until one is seen, names stay as they are written."""

    def __init__(self) -> None:
        self._settings = Settings()
        self._path: tuple[str, ...] = ()
        self._made: dict[Key, bool] = {}
        self._temporary: dict[str, bool] = {}
        self._undo = Undo()

    def resolved(self, actions: Sequence[a.Action]) -> tuple[a.Action, ...]:
        """The actions of the next statement, with the schemas that the server will find."""
        self._note(actions)
        if self._path or self._temporary or any(_is_temporary(action) for action in actions):
            actions = tuple(self._in_schema(action) for action in actions)
        self._remember(actions)
        return tuple(actions)

    def _note(self, actions: Iterable[a.Action]) -> None:
        for action in actions:
            match action:
                case a.Set() | a.Transaction():
                    self._settings.take_in(action)
                    self._path = _schemas(self._settings.get("search_path") or "")
            if isinstance(action, a.Transaction):
                self._undo.take_in(action)

    def _remember(self, actions: Iterable[a.Action]) -> None:
        for action in actions:
            match action:
                case a.CreateTable(table=Name(schema="pg_temp", name=name)):
                    self._undo.put(self._temporary, name, True)
                case a.CreateTable(table=Name(schema=str(schema), name=name)):
                    self._undo.put(self._made, (schema, name), True)
                case a.Drop(name=Name(schema="pg_temp", name=name)):
                    self._undo.put(self._temporary, name, None)
                case a.Rename(old=None, table=Name(schema="pg_temp", name=name), new=new) if name in self._temporary:
                    self._undo.put(self._temporary, name, None)
                    self._undo.put(self._temporary, new, True)

    def _in_schema(self, action: a.Action) -> a.Action:
        if getattr(action, "kind", None) in _SCHEMALESS:
            return action
        if isinstance(action, a.CreateTable) and _is_temporary(action):
            action = replace(action, table=action.table._replace(schema="pg_temp"))
        made = isinstance(action, a.CreateTable | a.Create)
        return self._walk(action, made=made)

    def _walk(self, part: T, *, made: bool) -> T:
        """A copy of an action or of a part of it, with every name in it resolved."""
        changed: dict[str, Any] = {}
        for name, value in _named_parts(part):
            if isinstance(value, Name):
                own = made and name in ("table", "name")
                changed[name] = self._place(value, made=own)
            elif isinstance(value, tuple):
                changed[name] = tuple(self._part(one) for one in value)
            else:
                changed[name] = self._walk(value, made=False)
        return replace(part, **changed) if changed else part  # type: ignore[type-var]

    def _part(self, one: Any) -> Any:
        if isinstance(one, Name):
            return self._place(one, made=False)
        return self._walk(one, made=False) if is_dataclass(one) else one

    def _place(self, name: Name, *, made: bool) -> Name:
        if name.schema is not None:
            return name
        if name.name in self._temporary and not made:
            return name._replace(schema="pg_temp")
        if not self._path:
            return name
        if made or len(self._path) == 1:
            return Name(self._path[0], name.name)
        found = next((schema for schema in self._path if (schema, name.name) in self._made), None)
        return Name(found, name.name) if found else Name(None, name.name, self._path)


def _is_temporary(action: a.Action) -> bool:
    """It makes a temporary table, which hides others of its name."""
    return isinstance(action, a.CreateTable) and action.temporary and action.table.schema is None


def _named_parts(part: object) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass that are a name, or may hold one."""
    for field in fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        parts = value if isinstance(value, tuple) and not isinstance(value, Name) else (value,)
        if any(isinstance(one, Name) or is_dataclass(one) for one in parts):
            yield field.name, value


def _schemas(value: str) -> tuple[str, ...]:
    parts = (part.strip() for part in value.split(","))
    return tuple(part for part in parts if part and part not in _NOT_ITS_OWN and part != "?")
