"""What applying tells, put into a step's output, progress and records."""

from typing import Literal

from pydantic import JsonValue

from migrations.apply import events as e
from migrations.apply.events import as_record
from runbooks.steps.base import Context

HOW = {
    "transaction": "one transaction",
    "own": "the file's own transactions",
    "bare": "code that may commit inside",
    "pieces": "in pieces, each committed by itself",
    "empty": "nothing to run",
}


def took_text(took: int) -> str:
    """Microseconds for a person: `12 ms`, `1.4 s`, `3 min 20 s`."""
    if took < 1_000_000:
        return f"{took // 1000} ms"
    if took < 60_000_000:
        return f"{took / 1_000_000:.1f} s"
    return f"{took // 60_000_000} min {took // 1_000_000 % 60} s"


class Teller:
    """Turns events into what a person sees; durable ones are on disk before the run goes on."""

    def __init__(self, ctx: Context, names: tuple[str, ...]) -> None:
        self._ctx, self._names = ctx, names
        self._label = ""
        self._detail = ""
        self._done = self._total = 0

    async def tell(self, event: e.ApplyEvent) -> None:
        """Take one event."""
        match event:
            case e.ScriptStarted(name=name):
                place = self._names.index(name) + 1
                self._label = f"{place} of {len(self._names)}  {name}"
                self._done, self._total, self._detail = event.through, event.statements, ""
                await self._say(_opening(event, self._label))
            case e.StatementStarted():
                self._detail, self._done = event.summary, event.statement
                await self._progress()
            case e.Running():
                await self._running(event)
            case e.StatementEnded():
                self._done = event.statement + 1
                await self._say(_ended(event, self._detail))
            case e.ScriptEnded():
                self._done = event.statements
                await self._say(f"  applied, {took_text(event.took)}")
            case e.ScriptBroken():
                await self._say(f"  {event.words}", "err")
            case e.Notice():
                await self._say(f"  {event.severity}: {event.text}", "note")
            case e.LockWait():
                await self._say(f"waiting: {event.words}", "note")
            case e.RowRolledBack():
                await self._say(f"{event.name}: the failed row of the earlier attempt is marked as rolled back", "note")
            case e.Connected() | e.Sending() | e.Committing() | e.Through():
                pass
        if event.durable:
            await self._ctx.record(**self._where(), **as_record(event))

    async def _running(self, event: e.Running) -> None:
        waits = f"waits for {event.waits_for}" if event.waits_for else ""
        detail = "  ".join(part for part in (self._detail, event.label, waits) if part)
        where = {**self._where(), "detail": detail, "waits_for": event.waits_for}
        if event.total:
            where |= {"done": event.done, "total": event.total, "unit": event.unit}
        await self._ctx.progress(**where)

    async def _progress(self) -> None:
        await self._ctx.progress(**self._where())

    def _where(self) -> dict[str, JsonValue]:
        return {
            "label": self._label,
            "done": self._done,
            "total": self._total,
            "unit": "statements",
            "detail": self._detail,
        }

    async def _say(self, text: str, stream: Literal["out", "err", "note"] = "out") -> None:
        await self._ctx.output(f"{text}\n", stream)


def _opening(event: e.ScriptStarted, label: str) -> str:
    count = f"{event.statements} statement{'' if event.statements == 1 else 's'}"
    after = f", going on after statement {event.through}" if event.through else ""
    return f"{label}\n  {count}, {HOW.get(event.model, event.model)}{after}"


def _ended(event: e.StatementEnded, summary: str) -> str:
    rows = "" if event.rows < 0 else f", {event.rows} row{'' if event.rows == 1 else 's'}"
    return f"  {event.statement + 1} of {event.statements}  {summary}: {took_text(event.took)}{rows}"
