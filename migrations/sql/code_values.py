"""Values of columns that are left out, in the code of a DO block or of a function."""

import re
from collections.abc import Iterator
from typing import Any

from migrations.sql.column_values import values_in
from migrations.sql.parse import NotReadable, code_tree, parse_one, pieces, placed
from migrations.sql.redact_list import Columns
from migrations.sql.secret_words import inside
from migrations.sql.split import locate
from migrations.sql.veil import Hidden


def values_in_code(text: str, columns: Columns, base: int) -> Iterator[Hidden]:
    """The places of such values in the texts between dollars of a statement, which begins at `base`."""
    for start, end, _ in placed(text) if "$" in text else ():
        inner = inside(text[start:end])
        if inner and text[start] == "$" and columns.may_be_in(text[start:end]):
            code = text[start + inner[0] : start + inner[1]]
            for at, query in _queries(text, code):
                yield from _of(query, columns, base + start + inner[0] + at)


def _queries(text: str, code: str) -> Iterator[tuple[int, str]]:
    """The statements of a piece of code, SQL or PL/pgSQL, and where they stand in it."""
    try:
        found = pieces(code)
        places = locate(code, found) or []
        yield from ((start, code[start:end]) for start, end in places)
    except NotReadable:
        try:
            queries = set(_of_tree(code_tree(text, code)))
        except NotReadable:
            queries = {code}
        for query in sorted(queries):
            yield from ((found.start(), query) for found in re.finditer(re.escape(query), code))


def _of_tree(part: Any) -> Iterator[str]:
    left = [part]
    while left:
        match left.pop():
            case list() as parts:
                left += parts
            case {"PLpgSQL_expr": {"query": str(query)}}:
                yield query
            case dict() as inner:
                left += inner.values()


def _of(query: str, columns: Columns, base: int) -> Iterator[Hidden]:
    if not columns.may_be_in(query):
        return
    try:
        yield from values_in(query, parse_one(query), columns, base)
    except NotReadable:
        return
