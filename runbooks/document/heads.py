"""The keys of a runbook and of a way back; the rows of Troubleshooting."""

import re
from datetime import date, datetime
from typing import Any, TypeGuard

from migrations.listed import many
from runbooks.document.blocks import Fence, Table
from runbooks.document.identifiers import is_id
from runbooks.session.runbook import PHASES, WAYS, Advice
from runbooks.session.series import STAGES
from runbooks.settings.durations import duration
from runbooks.settings.faults import Faults
from runbooks.settings.toml_text import KeyLines, TomlError, read_toml

KEYS = {
    "runbook": ("name", "owner", "reviewed", "review_every", "series", "stage", "see"),
    "option": ("id", "way", "costs", "loses", "until", "read_by", "application", "see"),
}
_ORDERED = re.compile(r"(before|after): \S")
COLUMNS = ("when you see", "do")


def read_table(block: Fence, faults: Faults) -> tuple[dict[str, Any] | None, KeyLines]:
    """The TOML of a block, None if it is not TOML, and where its keys stand."""
    line_of = KeyLines(block.text, block.line + 1, otherwise=block.line)
    try:
        return read_toml(block.text), line_of
    except TomlError as error:
        faults.add(block.line + error.line, f"this is not TOML: {error.what}", "`key = value` lines")
        return None, line_of


def read_head(block: Fence, tag: str, faults: Faults) -> dict[str, str] | None:
    """The keys of a `toml runbook` or `toml option` block, those that are right; None if it is not TOML."""
    table, line_of = read_table(block, faults)
    if table is None:
        return None
    faults.unknown_keys(table, KEYS[tag], line_of)
    head = dict[str, str]()
    for key in KEYS[tag]:
        if key not in table:
            continue
        value = _date(table[key]) if key == "reviewed" else table[key]
        if (tag, key) == ("runbook", "see") and _are_texts(value):
            value = "\n".join(value)
        if key == "review_every" and not _is_period(table[key]):
            faults.add(line_of(key), "`review_every` cannot be read", 'days in quotes, such as "180d"')
        elif key == "stage":
            _stage(value, head, faults, line_of(key))
        elif key == "series" and not is_id(str(value)):
            faults.add(line_of(key), f"`{value}` cannot name a series", "small letters, digits and dashes")
        elif key == "until" and value not in PHASES:
            faults.unknown(line_of(key), "phase", str(value), PHASES)
        elif key == "way" and value not in WAYS:
            faults.unknown(line_of(key), "way", str(value), WAYS)
        elif key == "application" and not _ORDERED.match(str(value)):
            faults.add(line_of(key), "`application` does not say when", '"before: …" or "after: …", and why')
        elif isinstance(value, str) and value.strip():
            head[key] = value
        else:
            expected = "a date, YYYY-MM-DD" if key == "reviewed" else "words in quotes"
            faults.add(line_of(key), f"`{key}` cannot be read", expected)
    return head


def _stage(value: object, head: dict[str, str], faults: Faults, line: int) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= len(STAGES):
        head["stage"] = str(value)
    else:
        faults.add(line, "`stage` is not right", f"a number from 1 to {len(STAGES)}")


def read_advice(table: Table, faults: Faults) -> list[Advice]:
    """The rows of a Troubleshooting table."""
    heads, rows = table.rows[0], table.rows[1:]
    if tuple(text.lower() for text in heads.plain) != COLUMNS:
        faults.add(table.line, f"the columns are `{' | '.join(heads.plain)}`", "`| when you see | do |`")
        return []
    found = list[Advice]()
    for row in rows:
        if row.written > len(COLUMNS):
            faults.add(row.line, f"this row has {many(row.written, 'cell')}", "two; a bar inside a cell is written \\|")
        elif not all(row.plain):
            faults.add(row.line, f"the cell `{COLUMNS[row.plain.index('')]}` is empty", "words in both cells")
        else:
            found.append(Advice(see=row.plain[0], do=row.cells[1]))
    return found


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)


def _is_period(value: object) -> bool:
    try:
        return isinstance(value, str) and duration(value).days > 0
    except ValueError:
        return False


def _date(value: object) -> str | None:
    try:
        read = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return read.isoformat() if isinstance(read, date) and not isinstance(read, datetime) else None
