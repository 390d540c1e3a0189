"""A script as it may be shown and kept: what must not be seen of it is taken out, all else stays where it is."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

from migrations.sql.script import Fault, Script, Statement
from migrations.sql.summary import plain_line, summary_of

SHORTEST = 3
"""A shorter value is not looked for in what a server says: it would stand there by chance."""

_WORDS = ("true", "false")
_EDGE = re.compile(r"^(?:(?:[eEnN]|[uU]&)?'|\$[^$]*\$)|(?:'|\$[^$]*\$)$")
_ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is hidden, from `start` to `end` in characters; `given`: it is a secret, and not a value of a row.

    `bare`: it stands outside of quotes, and what is put in its place brings its own.
    """

    start: int
    end: int
    name: str
    given: bool = False
    bare: bool = False

    def shown(self, text: str) -> str:
        """What stands in its place: as many lines as before."""
        marker = f"«redacted:{self.name}»" + "\n" * text.count("\n", self.start, self.end)
        return f"'{marker}'" if self.bare else marker

    def values(self, text: str) -> frozenset[str]:
        """What it is, as it is written, and as it is read."""
        inner = _EDGE.sub("", text[self.start : self.end])
        return frozenset({inner, inner.replace("''", "'"), _ESCAPED.sub(lambda found: found[1] or "'", inner)})


class Veil:
    """Hides places of a text. `text` is what is left of it; with nothing to hide it is the text itself."""

    def __init__(self, text: str, hidden: Iterable[Hidden] = ()) -> None:
        self.hidden = _apart(hidden)
        shown = [each.shown(text) for each in self.hidden]
        self._ends = [each.end for each in self.hidden]
        grown = (len(new) - (each.end - each.start) for new, each in zip(shown, self.hidden, strict=True))
        self._grown = [0, *accumulate(grown)]
        parts, at = list[str](), 0
        for each, new in zip(self.hidden, shown, strict=True):
            parts += [text[at : each.start], new]
            at = each.end
        self.text = "".join([*parts, text[at:]])
        self._values = {value: each.name for each in self.hidden for value in each.values(text)}
        self.given = {v: each.name for each in self.hidden if each.given for v in each.values(text)}

    def __bool__(self) -> bool:
        return bool(self.hidden)

    def place(self, offset: int) -> int:
        """Where in `text` a place of the original is; of what is hidden, its beginning."""
        index = bisect_right(self._ends, offset)
        if index < len(self.hidden) and self.hidden[index].start < offset:
            offset = self.hidden[index].start
        return offset + self._grown[index]

    def words(self, said: str) -> str:
        """What somebody said of the script, without what is hidden."""
        there = [v for v in self._values if len(v) >= SHORTEST and v in said and v.lower() not in _WORDS]
        if not there:
            return said
        wanted = "|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in sorted(there, key=len, reverse=True))
        return re.sub(wanted, lambda found: f"«redacted:{self._values[found[0]]}»", said)

    def script(self, script: Script) -> Script:
        """The script as it may be shown. What its statements do is known from the original."""
        if not self:
            return script
        error = script.error
        if error is not None:
            error = Fault(self.words(error.message), error.line, self.place(error.offset))
        return Script(self.text, tuple(map(self._statement, script.statements)), error)

    def _statement(self, statement: Statement) -> Statement:
        start, end = self.place(statement.start), self.place(statement.end)
        text = self.text[start:end]
        if text == statement.text:
            return replace(statement, start=start, end=end)
        done = statement.certain
        summary = summary_of(done, text) if done else plain_line(text)
        why_not = self.words(statement.why_not)
        return replace(statement, start=start, end=end, text=text, summary=self.words(summary), why_not=why_not)


def _apart(hidden: Iterable[Hidden]) -> tuple[Hidden, ...]:
    """In order, those that overlap as one; a secret's name goes before others."""
    apart: list[Hidden] = []
    for each in sorted(hidden, key=lambda h: (h.start, -h.end)):
        if apart and each.start < apart[-1].end:
            first = apart.pop()
            name = each.name if each.given and not first.given else first.name
            bare = first.bare and each.end <= first.end
            each = Hidden(first.start, max(first.end, each.end), name, first.given or each.given, bare)
        if each.end > each.start:
            apart.append(each)
    return tuple(apart)


NOTHING = Veil("")
"""Hides nothing."""
