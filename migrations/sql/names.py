"""Names of things in a database, and how they are shown."""

import re
from typing import NamedTuple

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*", re.ASCII)


class Name(NamedTuple):
    """A name as a script writes it; `schema` is None where the search path decides."""

    schema: str | None
    name: str

    def __str__(self) -> str:
        return shown(self.name) if self.schema is None else f"{shown(self.schema)}.{shown(self.name)}"

    @property
    def key(self) -> tuple[str, str]:
        """Equal for two names of one thing, as long as the search path starts with `public`."""
        return (self.schema or "public", self.name)


def shown(identifier: str) -> str:
    """An identifier for a person to read: quoted where SQL would need it, without control codes."""
    if _PLAIN.fullmatch(identifier):
        return identifier
    return '"' + printable(identifier).replace('"', '""') + '"'


def printable(text: str) -> str:
    """The text without control codes and the like."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)
