"""TOML with lines: tomllib says neither where a key stands nor, before Python 3.14, where an error is in a field."""

import re
import tomllib
from typing import Any

_AT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")


class TomlError(ValueError):
    """Not TOML. `line` counts from 1 inside the text."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def read_toml(text: str) -> dict[str, Any]:
    """The table that `text` holds. Raises TomlError, and nothing else, for any text."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TomlError(1, "nested too deeply") from None
    except ValueError as error:
        found = _AT.search(str(error))
        last = text.rstrip("\n").count("\n") + 1
        line = int(found[1]) if found and found[1] else last if found else 1
        what = _AT.sub("", str(error))
        raise TomlError(min(line, last), what[:1].lower() + what[1:]) from None


class KeyLines:
    """Where each key of one table stands: `key =` or `[table.key]`; for others, the line of the table itself."""

    def __init__(self, text: str, first: int = 1, *, table: str = "", otherwise: int = 0) -> None:
        self.otherwise = otherwise or first
        self._found: dict[str, int] = {}
        inside = ""
        for number, line in enumerate(text.split("\n"), first):
            if header := _HEADER.match(line):
                inside = ".".join(part.strip().strip("\"'") for part in header[1].split("."))
                if inside == table:
                    self.otherwise = number
                child = inside[len(table) :].lstrip(".") if not table or inside.startswith(f"{table}.") else ""
                self._note(child, number)
            elif inside == table and "=" in line:
                self._note(line.split("=")[0], number)

    def _note(self, key: str, number: int) -> None:
        name = key.strip().split(".")[0].strip().strip("\"'")
        if name:
            self._found.setdefault(name, number)

    def __call__(self, key: str) -> int:
        """The line of a key, counted from 1."""
        return self._found.get(key, self.otherwise)
