"""Runs the team's own Prisma command on the reviewed scripts. What it says is shown; the ledger alone is believed."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from migrations.ledger.lock import Holder, Lock
from migrations.prisma.address import differs
from migrations.prisma.after import After, settle
from migrations.prisma.before import Before, read_before
from migrations.prisma.codes import explained
from migrations.prisma.judged import Wanted
from migrations.prisma.runner import Runner
from migrations.prisma.said import OnLine, Said
from migrations.prisma.watching import OnProgress, following, looking_for
from migrations.prisma.workplace import Workplace
from migrations.problem import Problem
from migrations.process import Child, Ended, Stream
from migrations.process import run as run_program
from migrations.target import Pinned

T = TypeVar("T")
STATUS = ("migrate", "status")
STATUS_SECONDS = 60.0
NOTHING = "Nothing was run."
FAILED = "P3018"


@dataclass(frozen=True, slots=True)
class Deploy:
    """What to run, where, and whom to tell. `env` is the command's whole environment.

    `again`: an earlier attempt of this session had begun. `on_before` keeps what settle() will need after a crash;
    `on_begin` is called when what applies is about to run; `on_start` is told each program, before it begins.
    """

    target: Pinned
    session: str
    environment: str
    application_name: str
    runner: Runner
    workplace: Workplace
    env: Mapping[str, str]
    wanted: tuple[Wanted, ...]
    again: bool
    on_text: OnLine
    on_note: Callable[[str], Awaitable[None]]
    on_before: Callable[[Before], Awaitable[None]]
    on_begin: Callable[[], Awaitable[None]]
    on_start: Callable[[Child], Awaitable[None]]
    on_progress: OnProgress
    stop_asked: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Deployed:
    """How it stands at the end. `stopped`: the operator asked to end before anything was run."""

    after: After
    stopped: bool


class Astray(Problem):
    """The command goes elsewhere than it was led to."""


async def deploy(run: Deploy) -> Deployed:
    """Ask Prisma where it goes and what it sees, then let it apply. Raises Problem, Unavailable.

    On cancellation the command's process group and its sessions in the server are ended, what the ledger says then
    is told, and it is re-raised.
    """
    before = await _ready(run)
    if run.stop_asked():
        return Deployed(await _settled(run, before), stopped=True)
    await run.on_begin()
    said, ended = await _through(run, before)
    after = await _settled(run, before)
    await _tell(run, after)
    _refuse(run, said, ended, after)
    return Deployed(after, stopped=False)


async def _ready(run: Deploy) -> Before:
    """Under the lock: the ledger as it is, the copy of the scripts, and where Prisma says that it goes."""
    book = await run.target.open("ledger", application_name=run.application_name)
    try:
        lock = Lock(book)
        await lock.take(on_wait=lambda others: _tell_wait(run, others))
        schema = run.target.url.schema
        before = await read_before(book, schema, run.wanted, again=run.again, environment=run.environment)
        await run.on_before(before)
        await asyncio.to_thread(run.workplace.make)
        await _ask(run, before)
        await asyncio.to_thread(run.workplace.unmark)
        await lock.release()  # the command takes it itself
        return before
    finally:
        await book.close()


async def _tell_wait(run: Deploy, others: tuple[Holder, ...]) -> None:
    await run.on_note(f"waiting: the migration lock is held by {others[0].words}")


async def _ask(run: Deploy, before: Before) -> None:
    """`migrate status`: it must go to the pinned target and see the copy, of which the marker is the proof."""
    await run.on_note("Prisma is asked first where it goes, and what it sees; the marker is in gonogo's copy alone")
    async with looking_for(run.target, run.session) as seen:
        said, ended = await _program(run, (*run.runner.cli, *STATUS, *run.workplace.arguments), STATUS_SECONDS)
    if said.code:
        raise explained(shlex.join(run.runner.cli), said, ended.returncode)
    if said.datasource is None or (said.datasource.adapter and not seen.yes):
        raise Problem(
            f"Prisma does not say which server it goes to, and was not seen on the pinned one. {NOTHING}",
            advice="Read what it said above; without a driver adapter it names the server.",
        )
    _same_scripts(run, said, before)


def _same_scripts(run: Deploy, said: Said, before: Before) -> None:
    seen, marker = set(said.pending), run.workplace.marker
    if marker not in seen:
        raise Problem(
            f"Prisma cannot be led to the copy of the reviewed scripts: it does not see the marker. {NOTHING}",
            advice='Read what it said above; or leave out engine = "prisma".',
            detail="\n".join(said.error),
        )
    expected = before.open_ones(one.name for one in run.wanted)
    # Up to 7.8, Prisma's status does not list what was marked as rolled back, though deploy runs it again.
    more = (seen | before.open_ones(run.workplace.scripts)) - expected - {marker}
    less = expected - seen - before.rolled_back()
    if more or less:
        words = [*(f"{name} is not in the plan" for name in sorted(more)), *(f"{n} is not seen" for n in sorted(less))]
        raise Problem(
            f"Prisma would not apply what was reviewed: {'; '.join(words)}. {NOTHING}", advice="Start a new session."
        )


async def _through(run: Deploy, before: Before) -> tuple[Said, Ended]:
    """`migrate deploy`, to its end; on a cancel, or if it goes astray after all, what it left is told first."""
    argv = (*run.runner.deploy, *run.workplace.arguments)
    try:
        async with following(run.target, run.session, before, run.on_progress):
            return await _program(run, argv, None)
    except (asyncio.CancelledError, Astray):
        await _whatever_comes(_told_after_its_end(run, before))
        raise


async def _told_after_its_end(run: Deploy, before: Before) -> None:
    try:
        await _tell(run, await _settled(run, before))
    except Problem as problem:
        await run.on_note(f"What became of it could not be read: {problem}")


async def _whatever_comes(work: Coroutine[Any, Any, T]) -> T:
    """Wait for it even if cancelled again."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            continue
    return task.result()


async def _program(run: Deploy, argv: Sequence[str], timeout: float | None) -> tuple[Said, Ended]:
    """Run it; once it says that it goes elsewhere or reads something else, it is ended. Raises Astray."""
    said = Said(run.on_text)

    async def take(stream: Stream, text: str) -> None:
        await said.take(stream, text)
        _refuse_astray(run, said)

    await run.on_note(f"$ {shlex.join(argv)}")
    try:
        ended = await run_program(
            argv, env=run.env, cwd=run.runner.folder, on_text=take, on_start=run.on_start, timeout=timeout
        )
    finally:
        await said.close()
    _refuse_astray(run, said)
    return said, ended


def _refuse_astray(run: Deploy, said: Said) -> None:
    if said.datasource is not None and (words := differs(said.datasource, run.target.url)):
        raise Astray(
            f"Prisma does not go to the pinned target: {words}. It was ended.",
            advice=f"Let the schema's or the config's url read {run.target.url.variable}, which gonogo sets.",
        )
    if read := run.workplace.astray(said.config, said.schema):
        raise Astray(
            f"Prisma reads {read}, and cannot be led to the copy of the reviewed scripts. It was ended.",
            advice='See that what is behind the command is passed on to Prisma; or leave out engine = "prisma".',
        )


async def _settled(run: Deploy, before: Before) -> After:
    return await settle(run.target, run.session, run.application_name, run.wanted, before, environment=run.environment)


async def _tell(run: Deploy, after: After) -> None:
    """Each row, and where not all went well, what took effect."""
    for fate in after.judged.fates:
        await run.on_note(f"{fate.name}: {fate.words}")
    for words in (*after.judged.disturbed, *filter(None, (after.lock,))):
        await run.on_note(words)
    if not after.judged.applied:
        for line in after.lines:
            await run.on_note(line)


def _refuse(run: Deploy, said: Said, ended: Ended, after: After) -> None:
    """Raise Problem for all that is not as it should be, the gravest first."""
    others = [f"{fate.name}: {fate.words}" for fate in after.judged.of("other bytes")]
    edited = [f"{name} was changed in gonogo's own copy" for name in run.workplace.changed()]
    if wrong := [*others, *edited, *after.judged.disturbed]:
        raise Problem(
            f"The ledger is not what the review and Prisma's command explain: {'; '.join(wrong)}.",
            advice="Find out who changed it before anything goes on. End this session.",
            code=said.code,
            detail="\n".join(said.error),
        )
    if ended.returncode != 0 or said.code:
        problem = explained(run.runner.words, said, ended.returncode)
        advice = after.failed.advice if after.failed else problem.advice
        code = problem.code or (FAILED if after.failed else "")  # with a driver adapter, Prisma tells none
        raise Problem(f"{problem.what} {after.words}.", advice=advice, code=code, detail=problem.detail)
    if not after.judged.applied:
        raise Problem(
            f"The command ended well, and the pinned target says otherwise: {after.words}.",
            advice="Read what it said above. Nothing else may be believed of it.",
        )
