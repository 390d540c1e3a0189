"""What applying tells, put into a step's output, progress and records."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Literal

from pydantic import JsonValue

from migrations.apply import events as e
from migrations.apply.events import as_record
from migrations.apply.queue_tree import tree
from migrations.listed import many
from runbooks.steps.base import Context
from runbooks.steps.parts.ledger_reading import planned

HOW = {
    "transaction": "one transaction",
    "own": "the file's own transactions",
    "bare": "code that may commit inside",
    "pieces": "in pieces, each committed by itself",
    "batch": "one query, as Prisma sends it",
    "split": "each statement committed by itself, as Prisma does",
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
        self._statement: dict[str, JsonValue] = {}
        self._note: dict[str, JsonValue] = {}
        self._estimates = _estimates(ctx)

    async def tell(self, event: e.ApplyEvent) -> None:
        """Take one event."""
        match event:
            case e.ScriptStarted(name=name):
                place = self._names.index(name) + 1
                self._label = f"{place} of {len(self._names)}  {name}"
                self._done, self._total, self._detail = event.through, event.statements, ""
                self._statement = {}
                await self._say("\n  ".join((_opening(event, self._label), *self._kept(name))))
            case e.StatementStarted():
                self._detail, self._done, self._note = event.summary, event.statement, {}
                self._statement = {"number": event.statement + 1, "count": event.statements}
                self._statement |= self._estimates.get((event.name, event.statement), {})
                await self._progress()
            case e.Running():
                await self._running(event)
            case e.StatementEnded():
                self._done = event.statement + 1
                await self._say(_ended(event, self._detail))
            case e.Retried():
                self._note = {"note": _again(event)}
                await self._say(f"  {_retried(event)}", "note")
            case e.GaveUp():
                await self._say(f"  gave up waiting for a lock: {event.why}", "note")
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

    def _kept(self, name: str) -> Iterator[str]:
        """From where on a failure keeps something, as the plan says."""
        return (script.kept for script in planned(self._ctx) if script.migration == name and script.kept)

    async def _running(self, event: e.Running) -> None:
        now, shown = event.progress, tree(event.queue, event.waits, event.behind) if event.queue else ()
        detail = "  ".join(part for part in (self._detail, now.label) if part)
        where = {**self._where(), "detail": detail, "elapsed_us": event.took}
        if shown:
            longest = e.microseconds(event.behind.longest)
            rows: list[JsonValue] = [{**asdict(branch), "text": branch.words} for branch in shown]
            where["queue"] = {"rows": rows, "behind": len(event.queue.behind), "longest_us": longest}
        if now.total or now.done:
            where |= {"done": now.done, "total": now.total, "unit": now.unit}
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
            **self._statement,
            **self._note,
        }

    async def _say(self, text: str, stream: Literal["out", "err", "note"] = "out") -> None:
        await self._ctx.output(f"{text}\n", stream)


def _opening(event: e.ScriptStarted, label: str) -> str:
    count = many(event.statements, "statement")
    after = f", going on after statement {event.through}" if event.through else ""
    return f"{label}\n  {count}, {HOW.get(event.model, event.model)}{after}"


def _estimates(ctx: Context) -> Mapping[tuple[str, int], dict[str, JsonValue]]:
    """How long the plan expects each statement to hold its locks: the shortest and the longest guess."""
    found: dict[tuple[str, int], dict[str, JsonValue]] = {}
    for script in ctx.view.plan.scripts if ctx.view.plan else ():
        for index, statement in enumerate(script.statements):
            known = [(t.least, t.most) for t in statement.touches if t.least is not None and t.most is not None]
            if known:
                least, most = max(known, key=lambda guess: guess[1])
                found[script.migration, index] = {"estimate_us": [least, most]}
    return found


def _retried(event: e.Retried) -> str:
    held = f" Held by {'; '.join(event.holders)}." if event.holders else ""
    return f"{_again(event)}{held}"


def _again(event: e.Retried) -> str:
    spent = f"{took_text(event.spent)} of {took_text(event.budget)} are used up"
    return (
        f"Try {event.attempt} came to nothing: {event.words.rstrip('.')}. What was open is rolled back; "
        f"again in {took_text(event.pause)} ({spent})."
    )


def _ended(event: e.StatementEnded, summary: str) -> str:
    rows = "" if event.rows < 0 else f", {many(event.rows, 'row')}"
    return f"  {event.statement + 1} of {event.statements}  {summary}: {took_text(event.took)}{rows}"
