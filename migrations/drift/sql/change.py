"""Statements that change one attribute of what both have."""

import re
from collections.abc import Callable, Iterator

from migrations.drift.sql.words import Attributes, local, reference, split_list

STATES = {"disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
ROW_SECURITY = {"enabled": ("ENABLE", "NO FORCE"), "forced": ("ENABLE", "FORCE")}

_VALUES = re.compile(r"start (\S+) increment (\S+) from (\S+) to (\S+) cache (\S+)( cycle)?")
_LABEL = re.compile(r"E?'(?:[^']|'')*'")
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_VARYING = re.compile(r"character varying(?:\((\d+)\))?")


def state(kind: str, name: str, of: str, wanted: str | None) -> str:
    """Whether a trigger or a rule fires."""
    word = STATES.get(wanted or "", "ENABLE")
    if kind == "event trigger":
        return f"ALTER EVENT TRIGGER {name} {word}"
    return f"ALTER TABLE {of} {word} {kind.upper()} {local(name, of)}"


def sequence_values(attributes: Attributes) -> str:
    """START, INCREMENT and so on."""
    found = _VALUES.fullmatch(attributes["values"])
    assert found is not None, attributes["values"]
    start, increment, least, most, cache, cycle = found.groups()
    numbers = f"START {start} INCREMENT {increment} MINVALUE {least} MAXVALUE {most} CACHE {cache}"
    return f"{numbers} {'CYCLE' if cycle else 'NO CYCLE'}"


def publication_options(attributes: Attributes) -> str:
    """What is published."""
    words = split_list(attributes.get("definition"))
    root = "by the root of partitions" in words
    published = ", ".join(word for word in words if not word.startswith("by "))
    return f"publish = '{published}', publish_via_partition_root = {'true' if root else 'false'}"


def options(wanted: str | None, there: str | None) -> Iterator[str]:
    """SET (…) and RESET (…) of storage parameters."""
    asked, have = split_list(wanted), split_list(there)
    names = {item.partition("=")[0] for item in asked}
    if gone := sorted({item.partition("=")[0] for item in have} - names):
        yield f"RESET ({', '.join(gone)})"
    if more := [item for item in asked if item not in have]:
        yield f"SET ({', '.join(_quoted(item) for item in more)})"


def _quoted(item: str) -> str:
    name, _, value = item.partition("=")
    return f"{name} = '{value}'"


def of_table(name: str, attribute: str, wanted: str | None, there: str | None) -> Iterator[str]:
    """An attribute of a table, a view or a sequence; nothing where it cannot be changed in place."""
    match attribute:
        case "row security":
            words = ROW_SECURITY.get(wanted or "", ("DISABLE", "NO FORCE"))
            yield from (f"ALTER TABLE {name} {word} ROW LEVEL SECURITY" for word in words)
        case "replica identity":
            yield f"ALTER TABLE {name} REPLICA IDENTITY {_first_upper(wanted) or 'DEFAULT'}"
        case "clustered on":
            yield f"ALTER TABLE {name} " + (f"CLUSTER ON {wanted}" if wanted else "SET WITHOUT CLUSTER")
        case "persistence" if wanted is None:
            yield f"ALTER TABLE {name} SET LOGGED"
        case "options":
            yield from (f"ALTER TABLE {name} {words}" for words in options(wanted, there))
        case "tablespace":
            yield f"ALTER TABLE {name} SET TABLESPACE {wanted or 'pg_default'}"


def _first_upper(wanted: str | None) -> str:
    if wanted and wanted.startswith("using index "):
        return f"USING INDEX {wanted.removeprefix('using index ')}"
    return (wanted or "").upper()


def column_extras(name: str, of: str, attributes: Attributes) -> Iterator[str]:
    """What a new column is given after it was made."""
    for attribute in ("storage", "compression", "statistics", "options"):
        if attribute in attributes:
            yield from of_column(name, of, attribute, attributes[attribute], None, 0)


def of_column(name: str, of: str, attribute: str, wanted: str | None, there: str | None, major: int) -> Iterator[str]:
    """An attribute of a column; nothing where it cannot be changed safely."""
    column = f"ALTER TABLE {of} ALTER COLUMN {local(name, of)}"
    match attribute:
        case "default":
            yield f"{column} SET DEFAULT {wanted}" if wanted is not None else f"{column} DROP DEFAULT"
        case "not null":
            yield from _not_null(name, of) if wanted else (f"{column} DROP NOT NULL",)
        case "type" if wanted and there and widens(there, wanted):
            yield f"{column} TYPE {wanted}"
        case "generated" if wanted is None and there and there.endswith(" stored"):
            yield f"{column} DROP EXPRESSION"
        case "storage" if wanted is not None or major >= 16:
            yield f"{column} SET STORAGE {(wanted or 'default').upper()}"
        case "compression":
            yield f"{column} SET COMPRESSION {wanted or 'default'}"
        case "statistics":
            yield f"{column} SET STATISTICS {wanted or '-1'}"
        case "options":
            yield from (f"{column} {words}" for words in options(wanted, there))


def _not_null(name: str, of: str) -> Iterator[str]:
    """Without shutting out anybody for as long as the table is read."""
    column = local(name, of)
    check = f'"{column.strip(chr(34))[:50]}_is_not_null"'
    yield f"ALTER TABLE {of} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID"
    yield f"ALTER TABLE {of} VALIDATE CONSTRAINT {check}"
    yield f"ALTER TABLE {of} ALTER COLUMN {column} SET NOT NULL"
    yield f"ALTER TABLE {of} DROP CONSTRAINT {check}"


def identity(column: str, wanted: str | None, there: str | None, sequence: str) -> str:
    """An identity column; `sequence` are the words for a new one's own."""
    if wanted is None:
        return f"{column} DROP IDENTITY"
    if there is None:
        return f"{column} ADD GENERATED {wanted.upper()} AS IDENTITY{sequence}"
    return f"{column} SET GENERATED {wanted.upper()}"


def widens(there: str, wanted: str) -> bool:
    """Whether every value keeps its form, so that no row is written anew."""
    old, new = _VARYING.fullmatch(there), _VARYING.fullmatch(wanted)
    if old and (new or wanted == "text"):
        return not (new and new[1]) or bool(old[1] and int(new[1]) >= int(old[1]))
    old, new = _NUMERIC.fullmatch(there), _NUMERIC.fullmatch(wanted)
    return bool(old and new and old[2] == new[2] and int(new[1]) >= int(old[1]))


def enum_labels(name: str, wanted: str | None, there: str | None) -> Iterator[str]:
    """ADD VALUE for what is missing; nothing where values would have to go or to move."""
    asked, have = _LABEL.findall(wanted or ""), _LABEL.findall(there or "")
    if [label for label in asked if label in have] != have:
        return
    for number, label in enumerate(asked):
        if label not in have:
            place = f" AFTER {asked[number - 1]}" if number else f" BEFORE {have[0]}" if have else ""
            yield f"ALTER TYPE {name} ADD VALUE {label}{place}"


def of_sequence(name: str, attribute: str, attributes: Attributes) -> Iterator[str]:
    """An attribute of a sequence."""
    match attribute:
        case "values":
            yield f"ALTER SEQUENCE {name} {sequence_values(attributes)}"
        case "type":
            yield f"ALTER SEQUENCE {name} AS {attributes['type']} {sequence_values(attributes)}"
        case "owned by":
            yield f"ALTER SEQUENCE {name} OWNED BY {attributes.get('owned by', 'NONE')}"
        case "persistence":
            yield f"ALTER SEQUENCE {name} SET {'UNLOGGED' if 'persistence' in attributes else 'LOGGED'}"


def of_domain(name: str, attribute: str, wanted: str | None) -> Iterator[str]:
    """An attribute of a domain."""
    match attribute:
        case "default":
            yield f"ALTER DOMAIN {name} " + (f"SET DEFAULT {wanted}" if wanted is not None else "DROP DEFAULT")
        case "not null":
            yield f"ALTER DOMAIN {name} {'SET' if wanted else 'DROP'} NOT NULL"


Again = Callable[[], Iterator[str]]


def anew(kind: str, name: str, of: str, make: Again) -> Iterator[str]:
    """Dropped and made again, both or neither."""
    yield "BEGIN"
    yield f"DROP {reference(kind, name, of, 'table')}"
    yield from make()
    yield "COMMIT"
