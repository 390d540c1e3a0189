"""The process that owns a session: journal, engine, connections and child programs. It outlives its terminal.

Started as `python -P -m runbooks.runner FOLDER` with a request on standard input.
"""

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from migrations.problem import Problem
from migrations.target import Pinned
from runbooks import events as e
from runbooks import project as projects
from runbooks.artefacts import write_private
from runbooks.attempts import Attempts
from runbooks.client import RUNNER_FILE
from runbooks.demo.world import World, world_of
from runbooks.document import read_runbook
from runbooks.engine import Engine
from runbooks.faces import Faces
from runbooks.git import head_of
from runbooks.journal import NAME, Journal, JournalBroken, read
from runbooks.launch import Request
from runbooks.plan_reader import PlanReader, pin_of
from runbooks.project import Environment, Project
from runbooks.recorder import Recorder
from runbooks.redact import Redactor
from runbooks.report.markdown import transcript
from runbooks.runbook import Runbook
from runbooks.sessions import previous
from runbooks.setting import Setting, read_urls, secrets
from runbooks.steps import catalogue
from runbooks.view import RunView, fold

PARK_SECONDS = 60.0
BUG = 70
DETACHED = 130


class Runner:
    """One session, from its first record or from where it was left, until it ends or is parked."""

    def __init__(self, folder: Path, request: Request) -> None:
        self._folder = folder
        self._request = request
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

    async def _begin(self) -> int:
        project = projects.load(Path(self._request.project))
        environment = project.environments[self._request.environment]
        runbook = read_runbook(self._folder / "runbook.md", catalogue=catalogue())
        async with world_of(project, environment.name) as world:
            environ = {**os.environ, **world.variables}
            setting = self._setting(project, environment, runbook, environ, pin=None)
            opened = await self._opened(setting)
            with contextlib.closing(Journal.create(self._folder, _now)) as journal:
                recorder = Recorder(journal, Redactor(secrets(project, environ)), RunView())
                recorder.append(opened)
                return await self._own(recorder, setting, world, unknown=())

    async def _take_up(self) -> int:
        journal, records, repaired = Journal.reopen(self._folder, _now)
        with contextlib.closing(journal):
            view = fold((r.seq, r.at, r.event) for r in records)
            view = replace(view, head=records[-1].hash)
            if view.opened is None or view.ended is not None:
                raise Problem("The session has ended.", advice="Begin a new one with `gonogo run`.")
            project = projects.load(Path(view.opened.project_file))
            environment = project.environments.get(view.opened.environment)
            if environment is None:
                raise Problem(f"gonogo.toml has no environment {view.opened.environment} any more.")
            async with world_of(project, environment.name) as world:
                environ = {**os.environ, **world.variables}
                setting = self._setting(project, environment, view.runbook, environ, pin=pin_of(view))
                recorder = Recorder(journal, Redactor(secrets(project, environ)), view)
                if repaired is not None:
                    recorder.append(repaired)
                return await self._own(recorder, setting, world, unknown=_unknown(view))

    def _setting(
        self, project: Project, environment: Environment, runbook: Runbook, environ: Mapping[str, str], pin: object
    ) -> Setting:
        urls = read_urls(environment, environ)
        direct = urls[environment.direct_url or environment.url]
        target = Pinned(direct, pin, pooled=environment.pooler == "session")  # type: ignore[arg-type]
        return Setting(self._folder, project, environment, runbook, urls, target, dict(environ))

    async def _opened(self, setting: Setting) -> e.SessionOpened:
        request = self._request
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
            previous=previous(self._folder.parent, setting.environment.name),
        )

    async def _own(
        self, recorder: Recorder, setting: Setting, world: World, unknown: tuple[tuple[str, int], ...]
    ) -> int:
        plans = PlanReader(setting)
        attempts = Attempts(recorder, setting, plans)
        engine = Engine(recorder, attempts, plans, self._request.operator)
        faces = Faces(recorder, self._folder, engine.submit)
        try:
            async with _listening(self._folder, faces):
                if self._request.resume:
                    recorder.append(self._resumed(unknown))
                return await self._drive(engine, faces, recorder, unknown)
        except JournalBroken as broken:
            _say(str(broken))
            return broken.exit_code
        finally:
            await attempts.close()
            if recorder.view.ended is not None:
                world.over()

    async def _drive(
        self, engine: Engine, faces: Faces, recorder: Recorder, unknown: tuple[tuple[str, int], ...]
    ) -> int:
        work = asyncio.create_task(engine.run(unknown))
        left = asyncio.create_task(self._left.wait())
        lonely = asyncio.create_task(self._until_lonely(engine, faces))
        try:
            await asyncio.wait([work, left, lonely], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return await self._over(work, recorder)
            work.cancel()
            await engine.interrupt()
            recorder.append(e.SessionParked(reason=self._why or "nobody was attached, and nothing ran"))
            return DETACHED
        finally:
            for task in (work, left, lonely):
                task.cancel()
            await asyncio.gather(work, left, lonely, return_exceptions=True)
            await faces.dismiss()

    async def _over(self, work: "asyncio.Task[int]", recorder: Recorder) -> int:
        error = work.exception()
        if error is None:
            await asyncio.to_thread(self._write_transcript)
            return work.result()
        if isinstance(error, JournalBroken):
            raise error
        told = "".join(traceback.format_exception(error))
        _say(recorder.redactor.text(told))
        recorder.append(e.SessionParked(reason=f"gonogo failed: {type(error).__name__}; see runner.log"))
        return BUG

    def _write_transcript(self) -> None:
        write_private(self._folder / "transcript.md", transcript(read(self._folder / NAME)).encode())

    async def _until_lonely(self, engine: Engine, faces: Faces) -> None:
        """Returns when nobody has been attached, and nothing has run, for a minute. Headless: at once."""
        seen = False
        while True:
            faces.changed.clear()
            seen = seen or faces.present
            if faces.present:
                await faces.changed.wait()
                continue
            if seen and self._request.headless:
                self._why = "its headless face ended"
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(faces.changed.wait(), PARK_SECONDS)
            if not faces.present and not engine.busy:
                return

    def _resumed(self, unknown: tuple[tuple[str, int], ...]) -> e.SessionResumed:
        by = self._request.operator
        return e.SessionResumed(gonogo=version("gonogo"), host=by.host, pid=os.getpid(), by=by, unknown=unknown)


@contextlib.asynccontextmanager
async def _listening(folder: Path, faces: Faces):  # type: ignore[no-untyped-def]
    """A socket in a short folder of our own (107 bytes is the limit), named in runner.json while it is there."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    root = base if base and len(base) < 60 and Path(base).is_dir() else "/tmp"
    place = Path(tempfile.mkdtemp(prefix="gonogo-", dir=root))
    server = await asyncio.start_unix_server(faces.serve, place / "s", limit=4 * 1024 * 1024)
    about = {"pid": os.getpid(), "started": str(psutil.Process().create_time()), "socket": str(place / "s")}
    write_private(folder / RUNNER_FILE, json.dumps(about).encode())
    try:
        yield
    finally:
        server.close()
        (folder / RUNNER_FILE).unlink(missing_ok=True)
        shutil.rmtree(place, ignore_errors=True)


def _unknown(view: RunView) -> tuple[tuple[str, int], ...]:
    return tuple((name, s.attempt) for name, s in view.steps.items() if s.status in ("running", "unknown"))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """The runner's process: no core dumps, nothing readable by others, problems in one line on standard error."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = Request.model_validate_json(sys.stdin.read())
    try:
        code = asyncio.run(Runner(Path(sys.argv[1]), request).run())
    except Problem as problem:
        _say(str(problem))
        code = problem.exit_code
    sys.exit(code)


if __name__ == "__main__":
    main()
