"""Where the statements of a text stand that the grammar refuses: a best guess, for reading."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from postgast import pg_query_pb2 as pb

from migrations.sql.parse import COMMENTS, NotReadable, placed

Place = tuple[int, int]

_COPY = re.compile(r"^[ \t]*COPY\b[^;]{0,1000}\bFROM\s+STDIN\b[^;]{0,1000};", re.IGNORECASE | re.MULTILINE)
_END_OF_DATA = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)
_FOR_PSQL = re.compile(r"^\\[a-z!?][^\n]*", re.MULTILINE)
_WITHIN_LINE = re.compile(r"[^\n]")


def rough_places(text: str) -> list[Place]:
    """Start and end, in characters, of what semicolons part, and of each line for psql.

    Nothing is lost: from where the words of the text cannot be told apart, the rest of it is one statement.
    """
    places = _parted(_FOR_PSQL.sub(lambda found: " " * len(found[0]), "".join(_without_data(text))))
    starts = [start for start, _ in places]
    for found in _FOR_PSQL.finditer(text):
        before = bisect_right(starts, found.start())
        if not before or places[before - 1][1] <= found.start():
            places.append((found.start(), found.start() + len(found[0].rstrip())))
    return sorted(places)


def _without_data(text: str) -> Iterator[str]:
    """The text, with spaces for what follows a COPY and is none."""
    done = 0
    for found in _COPY.finditer(text):
        end = _END_OF_DATA.search(text, max(found.end(), done))
        if end is None:
            break
        if found.start() >= done:
            start = text.find("\n", found.end())
            yield text[done:start]
            yield _WITHIN_LINE.sub(" ", text[start : end.end()])
            done = end.end()
    yield text[done:]


def _parted(text: str) -> list[Place]:
    begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
    at, rest = end, ""
    while True:
        try:
            places = list(_between(placed(text[:at] + rest)))
        except NotReadable as error:
            at = min(error.offset or 0, max(at - 1, 0))
            rest = "" if error.message.startswith("unterminated /* comment") else '\n"rest"'
        else:
            return [*places[:-1], (max(min(places[-1][0], at), begin), end)] if rest and end else places


def _between(words: Iterable[tuple[int, int, pb.ScanToken]]) -> Iterator[Place]:
    """A semicolon in the brackets of a rule, or in the BEGIN ATOMIC of a function, parts nothing."""
    start = end = -1
    head: list[int] = []
    open = atomic = last = 0
    for at, after, token in words:
        kind = token.token
        if kind in COMMENTS:
            continue
        if kind == pb.ASCII_59 and not atomic and not (open > 0 and pb.RULE in head):
            if start >= 0:
                yield start, end
            start, head, open = -1, [], 0
            continue
        if start < 0:
            start = at
        head += [kind] * (len(head) < 4)
        open += (kind == pb.ASCII_40) - (kind == pb.ASCII_41)
        if atomic or (kind == pb.ATOMIC and last == pb.BEGIN_P):
            atomic += (kind in (pb.ATOMIC, pb.CASE)) - (kind == pb.END_P)
        end, last = after, kind
    if start >= 0:
        yield start, end
