"""`redact` of gonogo.toml: columns whose values are left out of what is shown and kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

_RIGHT = re.compile(r'[^\s."]+(?:\.[^\s."]+){1,2}')


def is_column(text: str) -> bool:
    """Whether it can name one: `table.column`, or with its schema; without quotes, as the catalog writes it."""
    return _RIGHT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Columns:
    """`table.column`, or `schema.table.column`; `*` stands for anything. As the catalog writes them."""

    patterns: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def read(cls, texts: Iterable[str]) -> "Columns":
        """Of texts that can name columns."""
        parts = (text.split(".") for text in texts)
        return cls(tuple((p[0] if len(p) == 3 else "*", p[-2], p[-1]) for p in parts))

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def of(self, schema: str, table: str) -> tuple[str, ...]:
        """The patterns of a table's columns. Without a schema it may be in any."""
        return tuple(
            column
            for wanted, name, column in self.patterns
            if fnmatchcase(table, name) and (not schema or fnmatchcase(schema, wanted))
        )

    def named(self, schema: str, table: str, column: str) -> str | None:
        """`table.column`, if its values are left out."""
        found = any(fnmatchcase(column, wanted) for wanted in self.of(schema, table))
        return f"{table}.{column}" if found else None

    def may_be_in(self, text: str) -> bool:
        """Whether one of the tables is named in a text."""
        low = text.lower()
        return any(all(part in low for part in name.lower().split("*")) for _, name, _ in self.patterns)
