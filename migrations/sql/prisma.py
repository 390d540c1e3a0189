"""What Prisma Migrate does with a script, as it was observed: up to 7.3 one query, from 7.4 on in statements."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrations.sql import actions as a
from migrations.sql.pieces import NewValues
from migrations.sql.script import Statement
from migrations.sql.words import words_of

_UNREAD = {
    r"DO\b": "DO",
    r"DROP INDEX CONCURRENTLY\b": "DROP INDEX CONCURRENTLY",
    r"(REINDEX|REFRESH|LOCK|CLUSTER)\b": r"\1",
    r"COPY\b.* FROM STDIN\b": "COPY FROM STDIN",
    r"VACUUM \(": "VACUUM (…)",
    r"(ALTER SEQUENCE|ALTER DEFAULT PRIVILEGES|COMMENT ON FUNCTION)\b": r"\1",
    r"CREATE (?:(?:TEMP|TEMPORARY|UNLOGGED) )?SEQUENCE\b.* START\b.* INCREMENT\b": "START … INCREMENT",
    r"CREATE (?:OR REPLACE )?(RULE|PUBLICATION|STATISTICS|AGGREGATE)\b": r"CREATE \1",
    r"(?:ALTER|CREATE) .*\b(USING INDEX|EXCLUDE|ATTACH PARTITION)\b": r"\1",
    r"ALTER .*\bSET (SCHEMA|STORAGE|STATISTICS)\b": r"SET \1",
}
"""What the parser of Prisma ≥ 7.4 does not read, over words in upper case; and how to call it."""

_PATTERNS = [(re.compile(pattern, re.DOTALL), called) for pattern, called in _UNREAD.items()]
_CANDIDATE = re.compile(
    r"\b(?:DO|CONCURRENTLY|REINDEX|REFRESH|LOCK|CLUSTER|STDIN|VACUUM|SEQUENCE|PRIVILEGES|FUNCTION|RULE|PUBLICATION|"
    r"STATISTICS|AGGREGATE|INDEX|EXCLUDE|ATTACH|SCHEMA|STORAGE)\b",
    re.IGNORECASE,
)
_LEDGER_MISSED = {
    "search_path": "would look for its ledger along the search_path that is left behind",
    "role": "would write its ledger as the role that is left behind",
    "session_authorization": "would write its ledger as the role that is left behind",
}
_TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


@dataclass(frozen=True, slots=True)
class Stops:
    """A statement that Prisma would stop at, and why, in words that hold the server's code."""

    statement: Statement
    why: str


def unread(statements: Sequence[Statement]) -> tuple[Statement, str] | None:
    """The first statement that the parser of Prisma ≥ 7.4 does not read, for which all of the file is one query."""
    for statement in statements:
        if called := _unread(statement.text):
            return statement, called
    return None


def _unread(text: str) -> str:
    if not _CANDIDATE.search(text):
        return ""
    words = " ".join("''" if word.text[0] in "'$" else word.text.upper() for word in words_of(text))
    for pattern, called in _PATTERNS:
        if found := pattern.match(words):
            return found.expand(called)
    return ""


def stops_as_one(statements: Sequence[Statement]) -> Stops | None:
    """Where a script stops for certain that is sent as one query."""
    enums = NewValues()
    for statement in statements if len(statements) > 1 else ():
        if statement.facts.alone:
            return Stops(statement, _why_alone(statement))
        if enums.used_by(statement):
            return Stops(statement, "a new enum value is used before it is committed (55P04)")
        enums.see(statement)
        if statement.facts.control in ("commit", "rollback"):
            enums.committed()
    return None


def stops_in_statements(statements: Sequence[Statement]) -> Stops | None:
    """Where a script stops for certain that is sent statement by statement."""
    began = False
    for statement in statements:
        began = began or statement.facts.control == "begin"
        if began and statement.facts.alone:
            return Stops(statement, _why_alone(statement))
        if statement.facts.control in ("commit", "rollback"):
            began = statement.facts.chain
    return None


def _why_alone(statement: Statement) -> str:
    if any(isinstance(action, a.RunCode) for action in statement.actions):
        return "code ends a transaction that it is not alone in (2D000)"
    return "this cannot be in one transaction with others (25001)"


def left_behind(statements: Sequence[Statement]) -> Iterator[str]:
    """What Prisma would suffer from what the script leaves in the session; words that follow its name."""
    last: dict[str, a.Set] = {}
    for statement in statements:
        for action in statement.certain:
            if isinstance(action, a.Set) and action.setting == "*":
                last.clear()
            elif isinstance(action, a.Set) and not action.local:
                last[action.setting] = action
    found = {name for name, action in last.items() if action.value is not None}
    yield from dict.fromkeys(words for name, words in _LEDGER_MISSED.items() if name in found)
    if timeouts := [name for name in _TIMEOUTS if name in found]:
        yield f"would keep this {' and '.join(timeouts)} for the migrations after it"
