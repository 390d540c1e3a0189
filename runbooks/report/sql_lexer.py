"""What the words of a script are, for its colours: Pygments' PostgreSQL, mended."""

from collections.abc import Iterable, Iterator
from typing import Any

from pygments.lexer import inherit
from pygments.lexers.sql import PostgresLexer
from pygments.token import Comment, Keyword, Name, Number, String

_SHADES: tuple[tuple[Any, str], ...] = (
    (Comment, "sql-comment"),
    (String.Name, "sql-name"),
    (String, "sql-text"),
    (Number, "sql-number"),
    (Keyword, "sql-keyword"),
    (Name.Builtin, "sql-keyword"),
)


class SqlLexer(PostgresLexer):
    """PostgreSQL's SQL; unlike its parent, it finds the end of `E'it\\'s'`."""

    name = "gonogo SQL"
    aliases = []
    tokens = {
        "root": [(r"E'", String.Single, "escapes"), inherit],
        "escapes": [
            (r"[^'\\]+", String.Single),
            (r"(?s)\\.", String.Escape),
            (r"''", String.Single),
            (r"'", String.Single, "#pop"),
        ],
    }


_LEXER = SqlLexer(stripnl=False, ensurenl=False)


def lex(text: str) -> Iterator[tuple[Any, str]]:
    """The tokens of a text, each with its piece of it; the pieces are all of the text."""
    found: Iterable[tuple[int, Any, str]] = _LEXER.get_tokens_unprocessed(text)  # type: ignore[no-untyped-call]
    return ((token, piece) for _, token, piece in found)


def shade(token: Any) -> str:
    """What the colour of a token is called, in a theme and in a style sheet; or nothing."""
    return next((name for kind, name in _SHADES if token in kind), "")
