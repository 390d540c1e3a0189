"""What Prisma's command says, line by line: shown without values of rows, and understood."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from migrations.process import Stream

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
DATASOURCE = re.compile(
    r'\s*Datasource "[^"]*": (?P<product>.+?) database(?: "(?P<database>[^"]*)")?'
    r'(?:, schemas? "(?P<schemas>[^"]*)")?(?: at "(?P<at>[^"]*)"| using driver adapter "(?P<adapter>[^"]*)")?'
)
LOADED = re.compile(r"\s*(Loaded Prisma config|Prisma schema loaded) from (.+?)\.?")
PENDING = re.compile(r"\s*(?:Following|The) migrations? have not yet been applied:")
ERROR = re.compile(r"\s*Error: (?:(P\d{4})\b:?\s*)?(.*)")
CODE = re.compile(r"\s*Error code: (P\d{4})")
DATABASE_ERROR = re.compile(r"\s*Database error code: (\S+)")
DETAIL = re.compile(r"\s*DETAIL: .*")
AFTER_DETAIL = re.compile(r"\s*(?:$|HINT:|CONTEXT:|WHERE:|Position:|DbError \{|Error: )")
QUOTED_DETAIL = re.compile(r'(detail: Some\()"(?:[^"\\]|\\.)*"')
LEFT_OUT = "left out here, because it may hold values of a row; it stands in the ledger's row (logs)"
DETAIL_LINES = 40
LINE = 64 * 1024
"""A line longer than this is passed on in pieces, and not understood."""

OnLine = Callable[[Stream, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Datasource:
    """Where Prisma says that it goes. `at` is empty where a driver adapter hides it."""

    product: str
    database: str
    schemas: str
    at: str
    adapter: str


class Said:
    """Takes the output of one command, passes it on in whole lines, and keeps what it means."""

    def __init__(self, on_text: OnLine) -> None:
        self._on_text = on_text
        self._open: dict[Stream, str] = {"out": "", "err": ""}
        self._error_in: Stream | None = None
        self._lists = False
        self._in_detail: Stream | None = None
        self.datasource: Datasource | None = None
        self.config = ""
        self.schema = ""
        """What it has read, by the paths that it shows: seen from where it runs."""
        self.pending: tuple[str, ...] = ()
        self.code = ""
        self.sqlstate = ""
        self.error: list[str] = []
        """What stood behind the first `Error:`, in the stream that it came in."""

    async def take(self, stream: Stream, text: str) -> None:
        """The next piece of output."""
        *lines, rest = (self._open[stream] + text).split("\n")
        if len(rest) > LINE:
            lines, rest = [*lines, rest], ""
        self._open[stream] = rest
        if lines:
            shown = [self._line(stream, line) for line in lines]
            await self._on_text(stream, "".join(f"{line}\n" for line in shown if line is not None))

    async def close(self) -> None:
        """The end: what stands in an open line counts, too."""
        for stream, rest in list(self._open.items()):
            self._open[stream] = ""
            if rest and (shown := self._line(stream, rest)) is not None:
                await self._on_text(stream, f"{shown}\n")

    def _line(self, stream: Stream, line: str) -> str | None:
        """The line as it is shown; None for one that may be more of a row's values."""
        plain = ANSI.sub("", line).rstrip("\r")
        if len(plain) > LINE and stream != self._in_detail:
            return plain
        shown = self._without_rows(stream, plain)
        if shown is not None:
            self._understand(stream, shown)
        return shown

    def _without_rows(self, stream: Stream, line: str) -> str | None:
        if found := DATABASE_ERROR.match(line):
            self.sqlstate = found[1]
        if DETAIL.match(line):
            self._in_detail = stream
            return f"DETAIL: {LEFT_OUT}"
        if stream == self._in_detail and not AFTER_DETAIL.match(line):
            return None
        self._in_detail = None if stream == self._in_detail else self._in_detail
        return QUOTED_DETAIL.sub(r'\1"…"', line)

    def _understand(self, stream: Stream, line: str) -> None:
        if found := DATASOURCE.match(line):
            self.datasource = Datasource(**{name: text or "" for name, text in found.groupdict().items()})
        elif found := LOADED.fullmatch(line):
            self.config, self.schema = (found[2], self.schema) if "config" in found[1] else (self.config, found[2])
        elif found := ERROR.match(line):
            self._error_in = stream
            self.code = self.code or found[1] or ""
            self.error += [found[2]] if found[2] else []
        elif PENDING.match(line):
            self._lists = True
        elif self._lists:
            self._lists = bool(line.strip())
            self.pending += (line.strip(),) if self._lists else ()
        elif stream == self._error_in and line.strip() and len(self.error) < DETAIL_LINES:
            self.code = self.code or (found[1] if (found := CODE.match(line)) else "")
            self.error.append(line)
