"""The process that owns a session: journal, engine, connections and child programs. It outlives its terminal.

Started as `python -P -m runbooks.running.runner FOLDER` with a request on standard input.
"""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from migrations.problem import Problem
from migrations.target import Fingerprint
from runbooks.anchoring.anchors import Anchors
from runbooks.approvals.emergency import owed
from runbooks.demo.world import World, world_of
from runbooks.document import read_runbook
from runbooks.document.told import told_for
from runbooks.faces import wire
from runbooks.faces.client import SAYS
from runbooks.faces.faces import Faces
from runbooks.faces.launch import Request
from runbooks.faces.listening import listening
from runbooks.history.previous import previous
from runbooks.history.tried import tried
from runbooks.host.machine import machine
from runbooks.host.sharing import circle_of
from runbooks.journal import NAME, Journal, JournalBroken, Record
from runbooks.journal.artefacts import write_private
from runbooks.planning.git import head_of
from runbooks.planning.narrowed import narrowed
from runbooks.planning.plan_reader import PlanReader, pin_of
from runbooks.redact import Redactor
from runbooks.report.formats import KEPT, rendered
from runbooks.running.attempts import Attempts
from runbooks.running.engine import Engine
from runbooks.running.logs import Logs
from runbooks.running.recorder import Recorder, is_noted
from runbooks.running.runner_log import RunnerLog
from runbooks.session import events as e
from runbooks.session.moved import moved_to
from runbooks.session.pairs import Pair, open_pairs
from runbooks.session.pen import holder
from runbooks.session.runbook import Runbook
from runbooks.session.view import RunView, advance
from runbooks.settings import project as projects
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import Setting, read_urls, secrets, target_of
from runbooks.signing.signatory import Signatory
from runbooks.steps import catalogue

PARK_SECONDS = 60.0
FACE_SECONDS = 10.0
"""How long whoever started this runner may take to attach to it."""
SETTLE_SECONDS = 5.0
"""How long the last record may wait for heads of earlier ones that are still being noted and signed."""
BUG = 70
DETACHED = 130


class Runner:
    """One session, from its first record or from where it was left, until it ends or is parked."""

    def __init__(
        self,
        folder: Path,
        request: Request,
        log: RunnerLog,
        *,
        park_seconds: float = PARK_SECONDS,
        face_seconds: float = FACE_SECONDS,
    ) -> None:
        self._folder = folder
        self._request = request
        self._log = log
        self._park_seconds = park_seconds
        self._face_seconds = face_seconds
        self._left = asyncio.Event()
        self._why = ""

    async def run(self) -> int:
        """The exit code of the session, or of what kept it from going on. Raises Problem before it has begun."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave, f"the runner got {number.name}")
        if self._request.resume:
            return await self._take_up()
        return await self._begin()

    def _leave(self, why: str) -> None:
        self._why = self._why or why
        self._left.set()

    def _redactor(self, project: Project, environ: Mapping[str, str]) -> Redactor:
        self._log.redactor = Redactor(secrets(project, environ))
        return self._log.redactor

    async def _begin(self) -> int:
        project = projects.load(Path(self._request.project))
        environment = project.environments[self._request.environment]
        written = read_runbook(self._folder / "runbook.md", catalogue=catalogue())
        told = told_for(written, environment.values, catalogue())
        kept = told.model_copy(update={"documents": self._request.documents})
        runbook = narrowed(kept, catalogue(), self._request.narrowing)
        async with world_of(project, environment.name) as world:
            environ = {**os.environ, **world.variables}
            setting = self._setting(project, environment, runbook, environ, pin=None)
            opened = await self._opened(setting)
            with contextlib.closing(Journal.create(self._folder, _now)) as journal:
                recorder = Recorder(journal, self._redactor(project, environ), RunView())
                recorder.append(opened)
                return await self._own(recorder, setting, world, unknown=())

    async def _take_up(self) -> int:
        view = RunView()

        def keep(record: Record) -> bool:
            nonlocal view
            view = advance(view, record.seq, record.at, record.event, record.hash)
            return is_noted(record.event)

        journal, noted, repaired = Journal.reopen(self._folder, _now, keep)
        with contextlib.closing(journal):
            if view.opened is None or view.ended is not None:
                raise Problem("The session has ended.", advice="Begin a new one with `gonogo run`.")
            project = projects.load(Path(view.opened.project_file))
            environment = project.environments.get(view.opened.environment)
            if environment is None:
                raise Problem(f"gonogo.toml has no environment {view.opened.environment} any more.")
            async with world_of(project, environment.name) as world:
                environ = {**os.environ, **world.variables}
                pin, moved = pin_of(view), moved_to(view)
                setting = self._setting(project, environment, view.runbook, environ, pin=pin, moved=moved)
                recorder = Recorder(journal, self._redactor(project, environ), view, noted)
                if repaired is not None:
                    recorder.append(repaired)
                return await self._own(recorder, setting, world, unknown=_unknown(view))

    def _setting(
        self,
        project: Project,
        environment: Environment,
        runbook: Runbook,
        environ: Mapping[str, str],
        pin: Fingerprint | None,
        moved: str | None = None,
    ) -> Setting:
        urls = read_urls(environment, environ, moved)
        target = target_of(environment, urls, pin)
        return Setting(self._folder, project, environment, runbook, urls, target, dict(environ))

    async def _opened(self, setting: Setting) -> e.SessionOpened:
        request, root = self._request, self._folder.parent
        return e.SessionOpened(
            gonogo=version("gonogo"),
            session=self._folder.name,
            mode=request.mode,
            environment=setting.environment.name,
            protected=setting.environment.protected,
            project=setting.project.name,
            project_file=request.project,
            project_sha256=setting.project.sha256,
            runbook=setting.runbook,
            git=await head_of(setting.project.folder),
            operator=request.operator,
            ticket=request.ticket,
            answers=request.answers,
            machine=machine(),
            previous=previous(root, setting.project.name, setting.environment.name, setting.runbook),
            tried=await asyncio.to_thread(
                tried, root, setting.project.name, setting.environment.parity, setting.runbook
            ),
            emergency=self._emergency(setting.environment),
            windows=self._windows(setting.environment),
        )

    def _windows(self, environment: Environment) -> tuple[tuple[str, ...], ...]:
        given = (environment.window, self._request.windows) if self._request.mode == "walk" else ()
        return tuple(group for group in given if group)

    def _emergency(self, environment: Environment) -> e.Emergency | None:
        reason = self._request.emergency
        return owed(reason, _now().date(), environment.review_within) if reason else None

    async def _own(
        self, recorder: Recorder, setting: Setting, world: World, unknown: tuple[tuple[str, int], ...]
    ) -> int:
        plans = PlanReader(setting, recorder.redactor)
        await plans.learn(recorder.view)
        attempts = Attempts(recorder, setting, plans)
        signatory = Signatory(recorder, self._folder, self._request.signing, setting.environ)
        anchors, logs = Anchors(recorder, setting), Logs(recorder, setting)

        async def before_end() -> None:
            await logs.until_told()
            await asyncio.gather(anchors.settled(SETTLE_SECONDS), signatory.settled(SETTLE_SECONDS))

        engine = Engine(recorder, attempts, plans, self._request.operator, before_end, logs)
        faces = Faces(recorder, self._folder, engine.submit, circle_of(setting.project), signatory)
        try:
            if self._request.resume:
                recorder.append(self._resumed(unknown))
            signatory.begin()
            if self._request.unsigned and self._request.signing is None:
                signatory.without_key()
            anchors.begin()
            logs.begin()
            engine.start(unknown)
            async with listening(self._folder, faces.serve):
                bye = await self._drive(engine, recorder)
                await self._keep_transcript()
                await signatory.finish()
                await self._finish(anchors)
                await self._somebody(faces)
                await faces.dismiss(bye)
            return bye.exit_code
        finally:
            await engine.interrupt()
            await logs.leave()
            await attempts.close()
            await signatory.leave()
            await anchors.leave()
            if recorder.view.ended is not None:
                world.over()

    async def _drive(self, engine: Engine, recorder: Recorder) -> wire.Bye:
        work = asyncio.create_task(engine.run())
        broken = asyncio.create_task(recorder.until_broken())
        left = asyncio.create_task(self._left.wait())
        lonely = asyncio.create_task(self._leave_when_lonely(recorder))
        try:
            await asyncio.wait([work, broken, left], return_when=asyncio.FIRST_COMPLETED)
            work.cancel()
            await asyncio.wait([work])
            await engine.interrupt()
            return self._over(work, recorder)
        except JournalBroken as error:
            _say(str(error))
            return wire.Bye(reason=str(error), exit_code=error.exit_code)
        finally:
            for task in (broken, left, lonely):
                task.cancel()
            await asyncio.gather(broken, left, lonely, return_exceptions=True)

    def _over(self, work: "asyncio.Task[int]", recorder: Recorder) -> wire.Bye:
        """What ended it. Raises JournalBroken."""
        ended, error = recorder.view.ended, None if work.cancelled() else work.exception()
        if ended is not None:
            return wire.Bye(reason=ended.reason, exit_code=ended.exit_code)
        if recorder.broken is not None:
            raise recorder.broken
        if error is None:
            bye = wire.Bye(reason=self._why, exit_code=DETACHED)
        elif isinstance(error, Problem):
            bye = wire.Bye(reason=str(error), exit_code=error.exit_code)
        else:
            traceback.print_exception(error, file=self._log)
            bye = wire.Bye(reason=f"gonogo failed: {type(error).__name__}; see runner.log", exit_code=BUG)
        left = "; ".join(f"{pair.words}{_by_hand(pair)}" for pair in open_pairs(recorder.view))
        bye = bye.model_copy(update={"reason": f"{bye.reason.removesuffix('.')}. {left}." if left else bye.reason})
        recorder.append(e.SessionParked(reason=bye.reason))
        return bye

    async def _finish(self, anchors: Anchors) -> None:
        try:
            await anchors.finish()
        except Problem as problem:
            _say(f"Where the end was noted could not be kept: {problem}")

    async def _keep_transcript(self) -> None:
        def write() -> None:
            for form in KEPT:
                write_private(self._folder / f"transcript.{form}", rendered(form, self._folder / NAME))

        try:
            await asyncio.to_thread(write)
        except Problem as problem:
            _say(f"The transcript was not written: {problem}")

    async def _somebody(self, faces: Faces) -> None:
        """Whoever started us must hear how it ended, even if that was quicker than they could attach."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if self._left.is_set() else self._face_seconds):
                await faces.attached.wait()

    async def _leave_when_lonely(self, recorder: Recorder) -> None:
        """Leave when nobody has been attached, and nothing has run, for a minute.

        Headless: as soon as its face has left, unless somebody with a screen had taken the pen from it.
        """
        if self._request.headless and await self._becomes(recorder, lambda view: bool(view.faces)):
            view = await recorder.until(lambda view: not view.faces or _attended(view))
            if not _attended(view):
                self._leave("its headless face ended")
                return
        while True:
            await recorder.until(_lonely)
            if not await self._becomes(recorder, lambda view: not _lonely(view)):
                self._leave("nobody was attached, and nothing ran")
                return

    async def _becomes(self, recorder: Recorder, condition: Callable[[RunView], bool]) -> bool:
        """Whether it does, before it is time to park."""
        try:
            async with asyncio.timeout(self._park_seconds):
                await recorder.until(condition)
        except TimeoutError:
            return False
        return True

    def _resumed(self, unknown: tuple[tuple[str, int], ...]) -> e.SessionResumed:
        by, answers = self._request.operator.model_copy(update={"how": "command"}), self._request.answers
        return e.SessionResumed(
            gonogo=version("gonogo"), host=by.host, pid=os.getpid(), by=by, answers=answers, unknown=unknown
        )


def _by_hand(pair: Pair) -> str:
    """The command that undoes it, for whoever cannot take the session up again: where it is one line."""
    shown = pair.undo.shows.strip()
    return f", by hand: {shown}" if pair.undo.uses == "shell" and shown and "\n" not in shown else ""


def _unknown(view: RunView) -> tuple[tuple[str, int], ...]:
    return tuple((name, s.attempt) for name, s in view.steps.items() if s.status in ("running", "unknown"))


def _lonely(view: RunView) -> bool:
    """Nobody is there, and nothing goes on that would not wait for somebody."""
    return not view.faces and (view.running is None or bool(view.questions))


def _attended(view: RunView) -> bool:
    """A person with a screen holds the pen."""
    found = holder(view)
    return found is not None and found.sort == "screen"


def _say(text: str) -> None:
    """For people: whoever starts a runner reads it in the log."""
    sys.stderr.write(f"{SAYS}{' '.join(text.split())}\n")


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """The runner's process: no core dumps, nothing readable by others, problems in one line on standard error."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stderr = log = RunnerLog(open(2, "wb", buffering=0, closefd=False))  # noqa: SIM115
    try:
        request = Request.model_validate_json(sys.stdin.read())
        code = asyncio.run(Runner(Path(sys.argv[1]), request, log).run())
    except Problem as problem:
        _say(str(problem))
        code = problem.exit_code
    except Exception as error:
        traceback.print_exception(error)
        _say(f"gonogo failed: {type(error).__name__}.")
        raise SystemExit(BUG) from error
    sys.exit(code)


if __name__ == "__main__":
    main()
