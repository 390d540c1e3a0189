"""What of a script must not be seen: passwords and their like always, values of columns where a project says so."""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from migrations.sql import actions as a
from migrations.sql.redact_list import Columns
from migrations.sql.script import Script, Statement
from migrations.sql.secret_words import PASSWORD, in_words, inside
from migrations.sql.veil import Hidden, Veil

VALUE = "value"

LONG_ENOUGH = 4
MOST_REPEATED = 200
"""With more values than that, only what is a secret is looked for elsewhere in the script."""

_WORD = re.compile(r"[^\W\d]+|\d{1,5}")
_COPY = re.compile(
    r"^[ \t]*COPY\s+([^\s(;]+)[^;]{0,1000}?\bFROM\s+STDIN\b[^;]{0,1000};[^\n]*\n(.*?)(?=^\\\.|\Z)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_REST = re.compile(r"['$].*", re.DOTALL)


def veil_of(script: Script, columns: Columns | None = None, also: Iterable[Hidden] = ()) -> Veil:
    """What hides it; `also` is hidden too. Takes as long as reading the script: not for the event loop."""
    found = [*also, *_in_gaps(script)]
    try:
        import_module("postgast")
    except (ImportError, OSError):
        pass
    else:
        found += [*_given(script), *_values(script, columns or Columns())]
    return Veil(script.text, [*found, *_repeated(script.text, found)])


def _repeated(text: str, hidden: Sequence[Hidden]) -> Iterator[Hidden]:
    """Where else the same stands in the script, as in a message. A mere word may stand there for itself."""
    names: dict[str, Hidden] = {}
    few = [each for each in hidden if each.given] if len(hidden) > MOST_REPEATED else hidden
    for each in few[:MOST_REPEATED]:
        for value in each.values(text):
            if len(value) >= LONG_ENOUGH and (each.given or not _WORD.fullmatch(value)):
                quoted = value.replace("'", "''")
                names |= dict.fromkeys((value, quoted, quoted.replace("'", "''")), each)
    if names:
        every = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))
        for found in every.finditer(text):
            yield Hidden(found.start(), found.end(), names[found[0]].name, names[found[0]].given)


def _in_gaps(script: Script) -> Iterator[Hidden]:
    """In the comments between statements; in everything, where no statements are known."""
    at = 0
    for start, end in [*((s.start, s.end) for s in script.statements), (len(script.text), len(script.text))]:
        yield from in_words(script.text[at:start], at)
        at = max(at, end)


def _given(script: Script) -> Iterator[Hidden]:
    from migrations.sql.given import given_in

    for statement in script.statements:
        found = list(given_in(statement.text, statement.start))
        yield from found
        if not found and any(isinstance(action, a.SecretGiven) for action in statement.actions):
            yield from _quoted(statement, PASSWORD, given=True)


def _values(script: Script, columns: Columns) -> Iterator[Hidden]:
    if not columns.may_be_in(script.text):
        return
    if script.error is not None:
        yield from _copied(script.text, columns)
    for statement in script.statements:
        if columns.may_be_in(statement.text):
            yield from _values_of(statement, columns)


def _copied(text: str, columns: Columns) -> Iterator[Hidden]:
    """The rows behind a COPY … FROM STDIN, which only psql could send."""
    for found in _COPY.finditer(text):
        *schema, table = (part.strip('"') for part in found[1].split("."))
        if columns.of(schema[0] if schema else "", table):
            yield Hidden(found.start(2), found.end(2), f"{table}.*")


def _values_of(statement: Statement, columns: Columns) -> Iterator[Hidden]:
    from migrations.sql.code_values import values_in_code
    from migrations.sql.column_values import values_in
    from migrations.sql.parse import NotReadable, parse_one

    try:
        yield from values_in(statement.text, parse_one(statement.text), columns, statement.start)
    except NotReadable:
        yield from _quoted(statement, VALUE, given=False)
    else:
        yield from values_in_code(statement.text, columns, statement.start)


def _quoted(statement: Statement, name: str, *, given: bool) -> Iterator[Hidden]:
    """Every constant in quotes; from the first quote on, where they cannot be told apart."""
    from migrations.sql.parse import NotReadable, placed

    text, base = statement.text, statement.start
    try:
        for start, end, _ in placed(text):
            if (inner := inside(text[start:end])) is not None:
                yield Hidden(base + start + inner[0], base + start + inner[1], name, given)
    except NotReadable:
        if rest := _REST.search(text):
            yield Hidden(base + rest.start(), base + rest.end(), name, given)
