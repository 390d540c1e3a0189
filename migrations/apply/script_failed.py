"""What to tell when a script breaks: where, why, what is committed, and the way on."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from migrations.apply.sending import GaveWay
from migrations.problem import Problem

WIDTH = 100
LOGS = """\
A migration failed to apply. New migrations cannot be applied before the error is recovered from. \
Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve

Migration name: {name}

Database error code: {code}

Database error:
{error}
"""

IN_PIECES = 'Put it into a migration of its own, or let gonogo run the script in pieces (model = "safe").'
ADVICE = {
    "55P03": "A session held a lock for longer than lock_timeout. Find it (Preflight names blockers), let it end, and "
    "start the step again.",
    "57014": "It ran into statement_timeout, or somebody cancelled it in the server. Raise the step's timeout with a "
    "reason, or run it when the database is quieter.",
    "40P01": "Two sessions waited for each other. Start the step again when the other one is done.",
    "53100": "The server's disk is full. Free some of it, then start the step again.",
    "42501": "The role lacks a privilege. Grant it, then start the step again.",
    "25001": f"It cannot be in one transaction with other statements. {IN_PIECES}",
    "55P04": f"A new enum value can be used only once it is committed. {IN_PIECES}",
    "2D000": f"Code can end a transaction only where it is alone in it. {IN_PIECES}",
    "25P01": "It needs a transaction around it: write BEGIN and COMMIT.",
    "25P02": "An earlier statement of the same transaction failed.",
}
ROW_VALUES = "left out here, because it holds values of a row; it stands in the ledger's row (logs)"
FIX = "Fix what the server complains of, then start the step again; if the script itself must change, end the session."


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a script: statement (from 0) of `statements`, line (from 1), and the text with a caret under it."""

    statement: int
    statements: int
    line: int
    caret: str

    @property
    def words(self) -> str:
        """`statement 3 of 5, line 14`."""
        return f"statement {self.statement + 1} of {self.statements}, line {self.line}"


class ScriptFailed(Problem):
    """A script did not get through. `known`: it is certain that exactly `through` statements are committed.

    `way_on` is the advice, where it is known better than from the server's words; `waited_for`: who held the lock.
    `hide` takes out of the server's words what must not be told of the script.
    `code`, `message`, `hint`, `server_detail` and `where` are the server's own; empty if it sent no reply.
    """

    def __init__(
        self,
        name: str,
        row: str,
        place: Place,
        error: Exception,
        *,
        through: int,
        known: bool,
        waited_for: str = "",
        way_on: str = "",
        hide: Callable[[str], str] = str,
    ) -> None:
        diag = error.diag if isinstance(error, psycopg.Error) else None
        self.name, self.row, self.place, self.through, self.known = name, row, place, through, known
        self.message = hide((diag and diag.message_primary) or str(error) or type(error).__name__)
        self.server_detail = hide((diag and diag.message_detail) or "")
        self.hint = hide((diag and diag.message_hint) or "")
        self.where = hide((diag and diag.context) or "")
        self.query = hide(_query_inside(diag))
        self.waited_for, self._way_on = waited_for, way_on
        self.severity = (diag and diag.severity) or "ERROR"
        code = (diag and diag.sqlstate) or ("57014" if isinstance(error, GaveWay) else "")
        self.code = code
        super().__init__(
            f"{name}: {place.words}: {self.message.rstrip('.')}{f' ({code})' if code else ''}. {self.committed}",
            advice=self._advice(code),
            code=code,
            detail=self.text,
        )

    @property
    def committed(self) -> str:
        """What of the script is committed, in a sentence."""
        kept = f"Statement{'s 1 to' if self.through > 1 else ''} {self.through} of it"
        if not self.known:
            first = f"{kept} {'are' if self.through > 1 else 'is'} committed. " if self.through else ""
            number = self.place.statement + 1
            if self.code:
                return f"{first}Statement {number} may have committed something of its own before it failed."
            return f"{first}What statement {number} did is not known: no reply came."
        if self.through:
            return f"{kept} {'are' if self.through > 1 else 'is'} committed, nothing after."
        return "Nothing of this script is committed."

    @property
    def text(self) -> str:
        """The server's own words, with the place in the script; values of rows are left out."""
        parts = [f"{self.severity}: {self.message}", self.place.caret, self.query]
        detail = ROW_VALUES if self.code.startswith("23") and self.server_detail else self.server_detail
        named = (("DETAIL", detail), ("HINT", self.hint), ("CONTEXT", self.where))
        parts += [f"{name}: {text}" for name, text in named if text]
        return "\n".join(part for part in parts if part)

    @property
    def logs(self) -> str:
        """What Prisma writes into the ledger of such a failure."""
        named = (("DETAIL", self.server_detail), ("HINT", self.hint))
        parts = [f"{self.severity}: {self.message}", *(f"{name}: {text}" for name, text in named if text)]
        position = f"\n\nPosition:\n{self.place.caret}" if self.place.caret else ""
        return LOGS.format(name=self.name, code=self.code, error="\n".join(parts) + position)

    def _advice(self, code: str) -> str:
        if not self.known:
            return f"{self._way_on} Start the step again: it first asks the server what became of it.".strip()
        if self._way_on:
            return self._way_on
        held = f"It waited for {self.waited_for}. " if self.waited_for and code in ("55P03", "57014") else ""
        return held + ADVICE.get(code, FIX)


def caret(text: str, offset: int, *, exact: bool = True, label: str = "LINE") -> tuple[int, str]:
    """The line (from 1) of a character offset, and that line with a caret under it (without, if not `exact`)."""
    line = text.count("\n", 0, offset) + 1
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    whole = text[start : end if end >= 0 else len(text)].rstrip("\r")
    return line, _pointed(f"{label} {line}: ", whole, offset - start, exact=exact)


def _pointed(label: str, line: str, column: int, *, exact: bool = True) -> str:
    cut = max(0, column - WIDTH // 2) if len(line) > WIDTH else 0
    shown = line[cut : cut + WIDTH].replace("\t", " ")
    label = f"{label}{'…' if cut else ''}"
    mark = f"\n{' ' * (len(label) + _columns(shown[: column - cut]))}^" if exact else ""
    return f"{label}{shown}{mark}"


def _columns(text: str) -> int:
    """How much room a text takes in a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _query_inside(diag: psycopg.errors.Diagnostic | None) -> str:
    """The query that code was running, with a caret where the server points into it."""
    if diag is None or not diag.internal_query:
        return ""
    position = int(diag.internal_position or 0)
    return caret(diag.internal_query, max(0, position - 1), exact=position > 0, label="QUERY, line")[1]
