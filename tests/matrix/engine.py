"""Plays one cell of the matrix: the script is applied, the fault strikes, it is looked at, mended, and gone on from."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from migrations.problem import Problem
from migrations.sql import read_script
from migrations.target import Pinned, Url
from runbooks.steps.base import Doubt, Settled
from tests.matrix.faults import OURS, Fault
from tests.matrix.killed import Runner
from tests.matrix.stage import Stage
from tests.matrix.table import SCRIPTS, Left, Row, parts_in
from tests.migrations.applying import until
from tests.migrations.proxy import cutting
from tests.runbooks.apply_session import APPLY, Session

NAME, AFTER = "1_script", "2_after"
QUICK = {"lock_timeout": "20s", "statement_timeout": "60s", "concurrent_timeout": "60s", "retry_for": "0"}


def _nothing() -> None:
    return


class Play(Session):
    """The session of one cell, in which a person looks into the database and answers what is true."""

    def __init__(self, stage: Stage, folder: Path, row: Row) -> None:
        self.texts = {NAME: SCRIPTS[row.script], AFTER: f"CREATE TABLE {stage.schema}.after ();"}
        super().__init__(stage.url, folder, self.texts, way=row.way)
        self.stage, self.row = stage, row
        self._commits_left, self._then = 0, _nothing

    async def begin(self, **over: Any) -> None:
        """Apply everything."""
        await self.run(APPLY, model=self.row.way, **{**QUICK, **over})

    async def settled(self) -> Settled | Doubt | None:
        """What the step says of the attempt; what it left in the server is gone then. A person is asked if need be."""
        return await self.reconcile(model=self.row.way)

    def lead_to(self, url: str) -> None:
        """Let the target be reached there."""
        self.target = Pinned(Url.parse(url, variable="DATABASE_URL"), self.target.pin)

    def heard(self, told: Sequence[tuple[bool, dict[str, Any]]]) -> None:
        """Take over the records of a runner that is dead: what it told, durable or not."""
        self.recorded = [("migrations-apply", record) for durable, record in told if durable]

    def at_commit(self, nth: int, do: Callable[[], object]) -> None:
        """Let this be done when the nth COMMIT is about to go out."""
        self._commits_left, self._then = nth, do

    async def record(self, **data: JsonValue) -> None:
        """Write it down."""
        await super().record(**data)
        self._commits_left -= data["event"] == "Committing"
        if self._commits_left == 0:
            self._then, then = _nothing, self._then
            then()

    async def ask(self, question: str, text: str, *, exact: str | None = None, choices: Any = ()) -> str:
        """Answer for what is in the database."""
        if question == "lock-timeout":
            return "keep"
        self.asked.append(text)
        there, doubt = len(await self.stage.there()), re.findall(r"for what statements? (?:\d+ to )?(\d+) do", text)
        ends = {"it took effect": int(doubt[0])}
        ends |= {choice: int(choice.split()[-1]) for choice in choices if choice.startswith("only as far")}
        statements = read_script(self.texts[NAME]).statements
        parts = {c: sum(len(parts_in(s.text)) for s in statements[:end]) for c, end in ends.items()}
        return next((choice for choice, count in parts.items() if count == there), "it did not")


async def strike(play: Play, fault: Fault, place: int) -> BaseException | None:
    """Let the fault happen in a part, or at a COMMIT. Returns what the step raised."""
    stage = play.stage
    if fault.inside:
        await stage.arm(place, fault.inside)
    async with fault.world(stage):
        if fault.how == "runner":
            return await _killed(play, fault)
        if fault.how == "line":
            return await _cut(play, fault, place)
        task = asyncio.ensure_future(play.begin(**fault.over))
        if fault.how == "late":
            play.at_commit(place, task.cancel)
        if fault.strike:
            await fault.strike(stage, task.cancel)
        return (await asyncio.gather(task, return_exceptions=True))[0]


async def _killed(play: Play, fault: Fault) -> None:
    assert fault.strike is not None
    runner = Runner(play.url, play.texts, play.row.way)
    await fault.strike(play.stage, runner.kill)
    assert await runner.dead()
    play.heard(runner.events)


async def _cut(play: Play, fault: Fault, place: int) -> BaseException | None:
    at_commit = fault.column in ("uncommitted", "committed")
    word = b"COMMIT" if at_commit else parts_in(play.texts[NAME])[place].encode()
    late = fault.column in ("unheard", "committed")
    async with cutting(play.url, word, pass_on=late, nth=place if at_commit else 1) as (url, _):
        play.lead_to(url)
        (ended,) = await asyncio.gather(play.begin(), return_exceptions=True)
    play.lead_to(play.url)
    return ended


async def look(play: Play, left: Left, ledger: Sequence[str], *, told: bool | None = False) -> None:
    """After a fault: the parts that are there, whether a person is asked, and the states of the script's rows.

    `told`: whether the row holds the reason; None: it may.
    """
    play.asked.clear()
    settled = await play.settled()
    assert await play.stage.query(f"SELECT query {OURS}") == [], "it could still commit unseen"
    assert isinstance(settled, Settled) and len(play.asked) == left.asked, settled
    assert await play.stage.there() == parts(left.parts)
    found = await play.stage.ledger()
    assert _plain(found) == [(NAME, state) for state in ledger]
    assert told is None or (_plain(found) != found) is told


async def go_on(play: Play, left: Left, *, anew: bool) -> None:
    """Resume, as the step does; then everything is there once. `anew`: with another row than the failed one."""
    await play.begin()
    assert len(play.asked) == left.asked, "what was answered when it was taken up is not asked again"
    assert await play.stage.there() == parts(play.row.parts)
    assert _plain(await play.stage.ledger()) == [
        *([(NAME, "rolled back")] if anew else []),
        (NAME, "applied 1"),
        (AFTER, "applied 1"),
    ]
    await until(play.stage.nothing_left)
    settled = await play.settled()
    assert isinstance(settled, Settled) and (settled.end, settled.outcome) == ("done", "ok")


def _plain(ledger: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, state.removesuffix(", told")) for name, state in ledger]


def parts(count: int) -> list[int]:
    """All that are there once, when the first `count` are."""
    return list(range(1, count + 1))


def code_of(ended: BaseException | None) -> str:
    """The server's code in what the step raised."""
    return ended.code if isinstance(ended, Problem) else ""
