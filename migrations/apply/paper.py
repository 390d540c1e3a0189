"""A run on paper: the real code of a run, over connections that write down what would change something.

What only reads is asked of the target; nothing else reaches it, and its connections are read-only besides.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg

from migrations.apply.sending import Reply, Timeouts, Watcher, Wire
from migrations.target import Pinned

Connection = psycopg.AsyncConnection[Any]
Write = Callable[[str, str], None]
"""Takes the purpose of a connection, and what would be sent on it."""

APPLICATION = "gonogo dry run"
READ_ONLY = {"default_transaction_read_only": "on"}
XID = "0"
_READS = re.compile(r"\s*(?:SELECT|SHOW|WITH)\b", re.IGNORECASE)
_LOCKS = re.compile(r"pg_(?:try_)?advisory_(?:un)?lock\(")
_SETS = "set_config("
_LOCK_HELD = "locktype = 'advisory'"
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_BEGINS = re.compile(r"\s*(?:BEGIN|START\s+TRANSACTION)\b[^;]*", re.IGNORECASE)
_ENDS = re.compile(
    r"\s*(?:COMMIT|END|ROLLBACK|ABORT)(?:\s+(?:WORK|TRANSACTION))?(?:\s+AND\s+(NO\s+)?(CHAIN))?\s*", re.IGNORECASE
)


class PaperTarget(Pinned):
    """A target whose connections only read. `write` is told what else would be sent."""

    def __init__(self, target: Pinned, write: Write) -> None:
        super().__init__(target.url, target.pin, pooled=target.pooled)
        self._write = write

    async def open(
        self, purpose: str, *, application_name: str, settings: Mapping[str, str] | None = None
    ) -> Connection:
        """Connect as a run does, under a name of its own."""
        wanted = dict(settings or {})
        real = await super().open(purpose, application_name=APPLICATION, settings={**wanted, **READ_ONLY})
        set_after = self._to_set(real, purpose, {})
        told = ", ".join(f"{name} = {value}" for name, value in {**wanted, **set_after}.items())
        self._write(purpose, f"-- a connection is opened{f' with {told}' if told else ''}")
        return cast(Connection, _PaperConnection(real, purpose, self._write))


class _PaperConnection:
    """Passes on what only reads; all else is written down, and answered as if it had worked."""

    def __init__(self, real: Connection, purpose: str, write: Write) -> None:
        self._real, self._purpose, self._write = real, purpose, write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def add_notice_handler(self, handler: object) -> None:
        """Nothing is sent that a notice could be about."""

    async def execute(self, query: Any, params: Any = None) -> Any:
        """As a connection does."""
        text = psycopg.AsyncClientCursor(self._real).mogrify(query, params)
        if _LOCKS.search(text):
            self.tell(text)
            return _Answer((True,))
        if _LOCK_HELD in text:
            return _Answer((1,))
        if not _READS.match(text):
            self.tell(text)
            return _Answer(None)
        if _SETS in text:
            self.tell(text)
        return await self._real.execute(query, params)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """BEGIN and COMMIT."""
        self.tell("BEGIN")
        yield
        self.tell("COMMIT")

    def tell(self, text: str) -> None:
        """Write down what would be sent."""
        self._write(self._purpose, f"{text.strip()}" if text.rstrip().endswith(";") else f"{text.strip()};")


class _Answer:
    """What a cursor would hold after a statement that was not sent."""

    rowcount = 1

    def __init__(self, row: tuple[Any, ...] | None) -> None:
        self._row = row

    async def fetchone(self) -> tuple[Any, ...] | None:
        """The only row."""
        return self._row

    async def fetchall(self) -> list[tuple[Any, ...]]:
        """All of them."""
        return [self._row] if self._row else []


class PaperWire(Wire):
    """The script's connection on paper. Everything works at once, and no setting is found changed."""

    def __init__(self, target: Pinned, script: Connection, guard: Connection, timeouts: Timeouts, pid: int) -> None:
        super().__init__(target, script, guard, timeouts, pid)
        self._open = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction would be open."""
        return self._open

    async def send(self, query: str, *, cancellable: bool = True, watcher: Watcher | None = None) -> Reply:
        """Write it down, and answer as the server does when all is well."""
        cast(_PaperConnection, self.script).tell(query)
        bare = _COMMENT.sub(" ", query)
        if _BEGINS.fullmatch(bare):
            self._open = True
        elif ends := _ENDS.fullmatch(bare):
            self._open = bool(ends[2]) and not ends[1]
            return Reply("COMMIT", -1)
        shown = query.removeprefix("SHOW ")
        row = (self._timeouts.settings.get(shown, "off"),) if shown != query else (XID,)
        return Reply("", 1, row)

    async def look(self, watcher: Watcher) -> None:
        """There is nobody to look after."""
