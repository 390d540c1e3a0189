"""Identifiers that are longer than PostgreSQL keeps them."""

import re
from functools import lru_cache

from migrations.sql import actions as a
from migrations.sql.script import Statement
from migrations.sql.words import words_of

LONGEST = 63
"""Bytes of an identifier that the server keeps."""

# What may be such an identifier, in a text where each character is one byte, and in any.
_SUSPECT = re.compile(rf'"(?:[^"]|""){{{LONGEST},}}"|[a-zA-Z_][\w$]{{{LONGEST},}}', re.ASCII)
_SUSPECT_WIDE = re.compile(rf'"(?:[^"]|""){{{LONGEST // 4},}}"|[^\W\d][\w$]{{{LONGEST // 4},}}')

_ROWS = (a.Insert, a.Update, a.Delete, a.Merge, a.Query, a.Copy, a.RunCode, a.Call, a.Set)


def cut(identifier: str) -> str:
    """What the server makes of an identifier, in a database in UTF-8."""
    return identifier.encode()[:LONGEST].decode(errors="ignore")


def long_identifiers(statement: Statement) -> tuple[str, ...]:
    """The identifiers that are cut, each once. Statements that only read or write rows are not looked at."""
    if all(isinstance(action, _ROWS) for action in statement.actions):
        return ()
    return _long_in(statement.text)


@lru_cache(maxsize=4096)
def _long_in(text: str) -> tuple[str, ...]:
    if not (_SUSPECT if text.isascii() else _SUSPECT_WIDE).search(text):
        return ()
    names = (_name(text[word.start : word.end]) for word in words_of(text))
    return tuple(dict.fromkeys(name for name in names if len(name.encode()) > LONGEST))


def _name(word: str) -> str:
    """The identifier that a word is; empty if it is none."""
    if word.startswith('"'):
        return word[1:-1].replace('""', '"')
    return word.lower() if word.replace("$", "_").isidentifier() else ""
