"""A script, read with PostgreSQL's grammar. Imported only where that grammar is there."""

import re

from migrations.sql.bodies import Bodies
from migrations.sql.facts import Facts, facts_of
from migrations.sql.from_tree import actions_of
from migrations.sql.parse import NotReadable, parse_one, pieces
from migrations.sql.rough import rough_places
from migrations.sql.script import Fault, Script, Statement
from migrations.sql.search_path import SearchPath
from migrations.sql.split import lines_at, locate
from migrations.sql.summary import cut, plain_line, summary_of

_COPY_DATA = re.compile(r"\bCOPY\b[^;]{0,1000}\bFROM\s+STDIN\b", re.IGNORECASE)

_FOR_PSQL = re.compile(r"\s*\\[^.]")
_PLACEHOLDER = re.compile(r"\{\{|\$\{|<%|:[A-Za-z_']")


def analyse(text: str) -> Script:
    """The script of a text that holds no NUL."""
    try:
        found = pieces(text)
    except NotReadable as error:
        return Script(text, _statements(text, rough_places(text)), _fault(text, error))
    places = locate(text, found)
    if places is None:
        return Script(text, _statements(text, rough_places(text)), Fault("its statements cannot be told apart", 1, 0))
    return Script(text, _statements(text, places))


def _statements(text: str, places: list[tuple[int, int]]) -> tuple[Statement, ...]:
    lines = lines_at(text, [start for start, _ in places])
    path, bodies = SearchPath(), Bodies()
    return tuple(
        _statement(index, line, start, end, text[start:end], path, bodies)
        for index, ((start, end), line) in enumerate(zip(places, lines, strict=True))
    )


def _statement(index: int, line: int, start: int, end: int, text: str, path: SearchPath, bodies: Bodies) -> Statement:
    try:
        actions = path.resolved(actions_of(parse_one(text), text))
    except NotReadable as error:
        return Statement(index, line, start, end, text, plain_line(text), Facts(), why_not=cut(error.message))
    summary = summary_of(actions, text)
    code = bodies.behind(actions, text)
    inside = path.resolved([x for x in code.actions if x not in actions])
    facts, why_not = facts_of(actions), cut(code.why_not)
    return Statement(index, line, start, end, text, summary, facts, (*actions, *inside), why_not, len(inside))


def _fault(text: str, error: NotReadable) -> Fault:
    offset = min(error.offset or 0, len(text))
    message = error.message
    if text.startswith("\ufeff"):
        message = "a byte order mark (BOM) at its start is a syntax error for PostgreSQL"
    elif _FOR_PSQL.match(text, text.rfind("\n", 0, offset) + 1, offset + 2):
        message = "a backslash command is psql's own; PostgreSQL does not know it"
    elif _COPY_DATA.search(text, 0, offset):
        message = "COPY … FROM STDIN is followed by data, which only a client such as psql can send"
    elif _PLACEHOLDER.match(text, offset):
        message = "a placeholder stands here, which something else is to fill in first"
    return Fault(cut(message), text.count("\n", 0, offset) + 1, offset)
