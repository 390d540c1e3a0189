"""A script in HTML: numbered lines, coloured."""

import html
from collections.abc import Iterator

from runbooks.report.escape import block
from runbooks.report.sql_lexer import lex, shade
from runbooks.report.words import many

MOST_LINES = 2000
MOST_COLOURED = 256 * 1024
"""A script of more characters is shown without colours."""


def sql(text: str) -> str:
    """Its lines, each in an element of its own, so that the style sheet can number them."""
    shown = block(text).removesuffix("\n")
    lines = shown.split("\n")
    kept = "\n".join(lines[:MOST_LINES])
    pieces = _coloured(kept) if len(kept) <= MOST_COLOURED else iter([html.escape(kept)])
    body = "\n".join(f"<span>{line}</span>" for line in "".join(pieces).split("\n"))
    left_out = len(lines) - MOST_LINES
    more = f"\n<em>({many(left_out, 'more line')}; the file has them)</em>" if left_out > 0 else ""
    return f'<pre class="sql"><code>{body}{more}</code></pre>'


def lines_of(text: str) -> int:
    """How many lines it has."""
    return block(text).removesuffix("\n").count("\n") + 1


def _coloured(text: str) -> Iterator[str]:
    for token, piece in lex(text):
        name = shade(token)
        for number, line in enumerate(piece.split("\n")):
            yield "\n" if number else ""
            yield f'<span class="{name}">{html.escape(line)}</span>' if name and line else html.escape(line)
