"""What scripts speak of: the names that a database is asked about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass

from migrations.impact.types import type_from
from migrations.sql import Script, Statement
from migrations.sql import actions as a
from migrations.sql.names import Name

MOST = 5000
"""So many names are looked up at the most."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Names as the scripts write them. `more` of them are not asked about: there are too many."""

    names: tuple[Name, ...] = ()
    functions: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    more: int = 0


def asked_of(scripts: Iterable[Script]) -> Asked:
    """Everything that is named in what the scripts do, whatever it turns out to be: relation, type or nothing yet."""
    names: dict[Name, None] = {}
    functions: dict[str, None] = {}
    schemas: dict[str, None] = {}
    for script in scripts:
        for statement in script.statements:
            for action in statement.actions:
                for part in _parts(action):
                    names |= dict.fromkeys(_names(part))
                    functions |= dict.fromkeys(_functions(part))
                if isinstance(action, a.Drop | a.Reindex) and action.kind == "schema" and action.name:
                    schemas[action.name.name] = None
    kept = tuple(names)[:MOST]
    return Asked(kept, tuple(functions)[:MOST], tuple(schemas)[:MOST], more=len(names) - len(kept))


def names_in(statement: Statement) -> Iterator[Name]:
    """Every name in what a statement does."""
    for action in statement.actions:
        for part in _parts(action):
            yield from _names(part)


def _parts(part: object) -> Iterator[object]:
    """An action and every dataclass inside it."""
    yield part
    for field in fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if is_dataclass(one):
                yield from _parts(one)


def _names(part: object) -> Iterator[Name]:
    for field in fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        for one in (value,) if isinstance(value, Name) or not isinstance(value, tuple) else value:
            if isinstance(one, Name):
                yield one
    if isinstance(part, a.Column | a.AlterType) and (type := type_from(part.type)):
        yield type.name
    if isinstance(part, a.AddConstraint) and part.constraint.using_index:
        yield part.table._replace(name=part.constraint.using_index)


def _functions(part: object) -> Iterator[str]:
    if isinstance(part, a.Column):
        yield from part.default or ()
