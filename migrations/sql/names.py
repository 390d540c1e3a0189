"""Names of things in a database, and how they are shown."""

import re
from typing import NamedTuple

Key = tuple[str, str]

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*", re.ASCII)

RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast
    char character check coalesce collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable
    desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group
    grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array
    json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
    lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize
    not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision
    primary real references returning right row select session_user setof similar smallint some substring symmetric
    system_user table tablesample then time timestamp to trailing treat trim true union unique user using values
    varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905 (one on each line would hide the file behind them)
)
"""Words that `quote_ident` quotes, in any version up to PostgreSQL 18."""


class Name(NamedTuple):
    """A name as a script writes it; `schema` is None where the search path decides: `path`, if the script sets one."""

    schema: str | None
    name: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return shown(self.name) if self.schema is None else f"{shown(self.schema)}.{shown(self.name)}"

    @property
    def sql(self) -> str:
        """The name as SQL that means exactly it."""
        return quoted(self.name) if self.schema is None else f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def regclass(self) -> str:
        """What to_regclass() takes for the name, in the schema where the script has it looked for. It reads no U&."""
        parts = (self.home, self.name) if self.home else (self.name,)
        return ".".join('"' + part.replace('"', '""') + '"' for part in parts)

    @property
    def key(self) -> Key:
        """Equal for two names of one thing, as long as it is in the first schema of the search path."""
        return (self.schema or (self.path[0] if self.path else "public"), self.name)

    @property
    def home(self) -> str | None:
        """The schema, or else the first one where the script has it looked for."""
        return self.schema or (self.path[0] if self.path else None)


def shown(identifier: str) -> str:
    """An identifier for a person to read: quoted where SQL would need it, without control codes."""
    if _is_plain(identifier):
        return identifier
    return '"' + printable(identifier).replace('"', '""') + '"'


def quoted(identifier: str) -> str:
    """An identifier as SQL that means exactly it, free of control codes even where the name is not."""
    if _is_plain(identifier):
        return identifier
    if identifier.isprintable():
        return '"' + identifier.replace('"', '""') + '"'
    escaped = "".join(_escaped(char) for char in identifier)
    return f'U&"{escaped}"'


def _is_plain(identifier: str) -> bool:
    return _PLAIN.fullmatch(identifier) is not None and identifier not in RESERVED


def _escaped(char: str) -> str:
    if char in '\\"':
        return char * 2
    return char if char.isprintable() else f"\\+{ord(char):06X}"


def printable(text: str) -> str:
    """The text without control codes and the like."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)
