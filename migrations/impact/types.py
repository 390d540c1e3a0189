"""Types of columns: as scripts write them, as the catalog holds them, and what it takes to make one of the other."""

import re

from migrations.impact.known import Known, Type
from migrations.locks import Work
from migrations.sql.names import Name

_WORDS = re.compile(r'(?:("(?:[^"]|"")*"|[^".(\[]+)\.)?("(?:[^"]|"")*"|[^".(\[]+)(?:\(([0-9,-]+)\))?((?:\[\])*)')
_INTERNAL = {
    "boolean": "bool",
    "character": "bpchar",
    "real": "float4",
    "double precision": "float8",
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
}
_LENGTHS = ("varchar", "bpchar")
_TIMES = ("timestamp", "timestamptz", "time", "timetz")
_ALIKE = [
    {Name("pg_catalog", one), Name("pg_catalog", other)} for one, other in (("text", "varchar"), ("cidr", "inet"))
]
"""Pairs that share their indexes' order, too."""
_WITHOUT_ZONE, _WITH_ZONE = Name("pg_catalog", "timestamp"), Name("pg_catalog", "timestamptz")


def type_from(words: str) -> Type | None:
    """The type that a script's words name (`varchar(20)`, `app."Status"[]`); None if they are not understood."""
    found = _WORDS.fullmatch(words)
    if found is None:
        return None
    schema, name, modifiers, array = found.groups()
    plain = _INTERNAL.get(name, name) if schema is None else name
    full = Name(None if schema is None else _plain(schema), _plain(plain))
    return Type(full, tuple(int(m) for m in (modifiers or "").split(",") if m), array=bool(array))


def _plain(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def modifiers_of(name: Name, typmod: int) -> tuple[int, ...]:
    """What `pg_attribute.atttypmod` says of a type."""
    if typmod < 0 or name.schema != "pg_catalog":
        return () if typmod < 0 else (typmod,)
    if name.name in _LENGTHS:
        return (typmod - 4,)
    if name.name == "numeric":
        return ((typmod - 4) >> 16 & 0xFFFF, ((typmod - 4 & 0x7FF) ^ 1024) - 1024)
    return (typmod,)


def change(old: Type, new: Type, known: Known, *, utc: bool) -> Work:
    """What it takes to give a column another type: `brief` if its values stay as they are, `build` for its indexes."""
    target = known.type(new.name)
    name = target.name if target else new.name
    if old.array or new.array:
        return "brief" if (old.name, old.array, old.modifiers) == (name, new.array, new.modifiers) else "rewrite"
    if target is not None and target.kind == "domain":
        return "rewrite" if target.checked or target.base is None else change(old, target.base, known, utc=utc)
    if old.name == name:
        return "brief" if _widens(name, old.modifiers, new.modifiers) else "rewrite"
    if {old.name, name} == {_WITHOUT_ZONE, _WITH_ZONE} and utc:
        return "build" if not new.modifiers or new.modifiers[0] >= 6 else "rewrite"
    if (old.name, name) in known.relabels and (not new.modifiers or new.modifiers == old.modifiers):
        return "brief" if {old.name, name} in _ALIKE else "build"
    return "rewrite"


def _widens(name: Name, old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Whether every value of the old modifiers is one of the new, stored alike."""
    if name.name == "interval":  # its modifiers are not in the script's words
        return False
    if old == new:
        return True
    if name.name == "bpchar":
        return False
    if not new:
        return True
    if not old:
        return name.name in _TIMES and new[0] >= 6
    if name.name == "numeric":
        precision, scale = (*new, 0)[:2]
        return scale == (*old, 0)[1] and precision >= old[0]
    return name.name in (*_LENGTHS, *_TIMES, "varbit") and new[0] >= old[0]
