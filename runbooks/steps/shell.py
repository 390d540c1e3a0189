"""`shell`: the commands of a run block."""

import asyncio
import signal
from datetime import timedelta
from typing import Literal

from migrations.problem import Problem
from migrations.process import Child, alive, end
from migrations.process import run as run_program
from runbooks.session.events import StepStarted
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import spell
from runbooks.steps.base import Context, Doubt, StepKind
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.seeding import SEED, must_be_allowed_here

LINE_KEPT = 2000
SAID, SHOWN = 200, 300
KILLED = 128  # a shell adds the number of the signal that ended its last command


class Params(Frozen):
    """`script` is given to `/bin/sh -eu`; after `timeout` it is stopped."""

    script: str
    timeout: Duration = timedelta(minutes=10)


class Result(Frozen):
    """`exit_status` is 0: any other one fails the step."""

    exit_status: int


async def run(ctx: Context, params: Params) -> Result:
    """Run the commands in the folder of gonogo.toml, with nothing to read. Raises Problem, Unavailable.

    libpq's own variables lead to the target, too: `pg_dump` alone needs no password on its command line.
    """
    await must_be_allowed_here(ctx)
    errors = _LastLine()

    async def said(stream: Literal["out", "err"], text: str) -> None:
        if stream == "err":
            errors.feed(text)
        await ctx.output(text, stream)

    async def started(child: Child) -> None:
        await ctx.record(label="running", attempt=ctx.attempt, pid=child.pid, started=child.started, group=child.group)

    limit = asyncio.timeout(params.timeout.total_seconds())
    try:
        async with limit:
            ended = await run_program(
                ["/bin/sh", "-eu", "-c", params.script],
                env={**ctx.child_environment(), **ctx.target.url.libpq_environment()},
                cwd=ctx.project.folder,
                on_text=said,
                on_start=started,
            )
    except TimeoutError:
        if not limit.expired():
            raise
        raise Problem(
            f"The commands did not end within {spell(params.timeout)} and were stopped.",
            advice='What they had done stays done. Give them longer (timeout="…") if they need it, and run them again.',
        ) from None
    if ended.returncode != 0:
        raise Problem(
            f"The commands ended with {_status(ended.returncode)}{errors.words}",
            advice="Read what they said, put it right, and run them again.",
            detail=errors.line,
        )
    ctx.check("exit-status", "Exit status", "ok", "0")
    return Result(exit_status=0)


class _LastLine:
    """Keeps the last line that says something, however it comes in."""

    def __init__(self) -> None:
        self.line = ""
        self._open = ""

    def feed(self, text: str) -> None:
        *whole, self._open = (self._open + text).split("\n")
        self._open = self._open[-LINE_KEPT:]
        said = [line.strip() for line in (*whole, self._open) if line.strip()]
        self.line = said[-1][:LINE_KEPT] if said else self.line

    @property
    def words(self) -> str:
        return f": {self.line}" if self.line else "."


def _status(returncode: int) -> str:
    if returncode < 0:
        return f"signal {_signal(-returncode)}"
    if returncode - KILLED in signal.valid_signals():
        return f"exit status {returncode}, as after signal {_signal(returncode - KILLED)}"
    return f"exit status {returncode}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


async def reconcile(ctx: Context, params: Params, start: StepStarted) -> Doubt:
    """What the commands did outside cannot be told: end them if they still run, and let a person decide."""
    for data in ctx.progress_of(ctx.step.id):
        pid, group = data.get("pid"), data.get("group")
        if data.get("attempt") == start.attempt and isinstance(pid, int) and isinstance(group, int):
            child = Child(pid, str(data.get("started")), group)
            if alive(child):
                await end(child)
    said = [line.text for line in ctx.view.step(ctx.step.id).lines if line.stream != "note" and line.text.strip()]
    last = f"the last that it said was “{said[-1][:SAID]}”" if said else "it had said nothing"
    commands = "; ".join(line.strip() for line in params.script.strip().splitlines())[:SHOWN]
    return Doubt(f"Its commands do not run any more, and {last}. Look at what they change ({commands})")


def shows(params: Params) -> str:
    """The commands themselves."""
    return params.script.rstrip("\n")


STEP = StepKind("Run commands", "outside", Params, run, shows, reconcile, asks=(SEED,))
