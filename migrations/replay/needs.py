"""What scripts need of a server beside its grammar, found by reading them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from migrations.sql import Script, Statement
from migrations.sql import actions as a

_ABOUT = re.compile(r"\s*(CREATE|ALTER|DROP|COMMENT\s+ON)\s+EXTENSION\b", re.IGNORECASE)
_VERSION = re.compile(r"\bVERSION\b|\bUPDATE\s+TO\b", re.IGNORECASE)
_NAME = r'\s*=?\s*((?:"(?:[^"]|"")+"|[a-z_][\w$]*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[a-z_][\w$]*))?)'
_TABLESPACE = re.compile(rf"\bTABLESPACE\b{_NAME}", re.IGNORECASE)
_COLLATION = re.compile(rf"\bCOLLATE\b{_NAME}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Needs:
    """Names, each as the server keeps it. `roles_made` and `extensions` are made by the scripts themselves.

    `pinned`: extensions of which a script names the version. Tablespaces and collations are a guess: what stands
    behind such a word may be text.
    """

    extensions: frozenset[str]
    pinned: frozenset[str]
    roles_made: frozenset[str]
    tablespaces: frozenset[str]
    collations: frozenset[str]

    def to_json(self) -> dict[str, list[str]]:
        """As plain data."""
        return {field.name: sorted(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Iterable[str]]) -> "Needs":
        """What `to_json` gave. Raises KeyError or TypeError."""
        return cls(**{field.name: frozenset(data[field.name]) for field in fields(cls)})


def needs_of(scripts: Iterable[Script]) -> Needs:
    """What these scripts need."""
    found = list(scripts)
    statements = [statement for script in found for statement in script.statements]
    actions = [action for statement in statements for action in statement.actions]
    about = [(name, s.text) for s in statements if _ABOUT.match(s.text) for name in extensions_in(s)]
    return Needs(
        extensions=frozenset(x.name.name for x in actions if isinstance(x, a.Create) and x.kind == "extension"),
        pinned=frozenset(name for name, text in about if _VERSION.search(text)),
        roles_made=frozenset(x.name.name for x in actions if isinstance(x, a.Create) and x.kind == "role"),
        tablespaces=frozenset(_names(_TABLESPACE, found)),
        collations=frozenset(_names(_COLLATION, found)),
    )


def extensions_in(statement: Statement) -> tuple[str, ...]:
    """The extensions that a statement about extensions names; none if it is about something else."""
    head = _ABOUT.match(statement.text)
    if head is None:
        return ()
    rest = re.sub(r"^\s*IF\s+(NOT\s+)?EXISTS\b", "", statement.text[head.end() :], flags=re.IGNORECASE)
    name = re.match(_NAME, rest, re.IGNORECASE)
    return (_bare(name[1]),) if name else ()


def without_extensions(script: Script, lacking: frozenset[str]) -> str:
    """The text of a script in which no statement is about these extensions; every line keeps its number."""
    text = script.text
    for statement in script.statements:
        if lacking & set(extensions_in(statement)):
            blank = re.sub(r"[^\n]", " ", text[statement.start : statement.end])
            text = text[: statement.start] + blank + text[statement.end :]
    return text


def _names(pattern: re.Pattern[str], scripts: Iterable[Script]) -> Iterator[str]:
    return (_bare(found[1]) for script in scripts for found in pattern.finditer(script.text))


def _bare(written: str) -> str:
    """The last part of a name as it is written, as the server keeps it."""
    last = re.split(r'\.(?=(?:[^"]*"[^"]*")*[^"]*$)', written)[-1].strip()
    return last[1:-1].replace('""', '"') if last.startswith('"') else last.lower()
