"""Looks at the environment's logs, beside all that goes on: when a step has failed, and when somebody asks."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrations.hashing import fingerprint_file
from migrations.problem import Problem
from migrations.process import Stream, run
from runbooks.journal import JournalBroken
from runbooks.journal.artefacts import make_folder, mode_in, write_private
from runbooks.redact import Redactor
from runbooks.running.recorder import Recorder
from runbooks.session import events as e
from runbooks.session.looked import LOGS, Looked, OneLog, data_of
from runbooks.session.view import StepView
from runbooks.settings.project import Log
from runbooks.settings.setting import Setting

SECONDS = 20.0
"""A command gets no longer; what it has said by then is kept."""
LAST_SECONDS = 10.0
"""More than what follows after that takes: a command is ended, and what it said is written."""
KEPT = 200
LONGEST = 4000
"""Characters of a line."""
TAIL, TAIL_LONGEST = 10, 300
OPENING = "opening"


class Logs:
    """Of one session. Nothing waits for them, and nothing fails because of them."""

    def __init__(self, recorder: Recorder, setting: Setting, *, seconds: float = SECONDS) -> None:
        self._recorder = recorder
        self._setting = setting
        self._seconds = seconds
        self._running = recorder.view.running
        self._due: asyncio.Queue[Looked] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._number = recorder.view.looked.number if recorder.view.looked is not None else 0
        self._told = self._number
        self._caught_up = asyncio.Event()

    @property
    def named(self) -> bool:
        """gonogo.toml names any for this environment."""
        return bool(self._setting.environment.logs)

    @property
    def busy(self) -> bool:
        """A look is not over yet."""
        return self._task is not None and self._told < self._number

    async def until_told(self) -> None:
        """Wait until all that is looked for has been told, or is given up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds + LAST_SECONDS):
                while self.busy:
                    self._caught_up.clear()
                    await self._caught_up.wait()

    def begin(self) -> None:
        """Look whenever a step fails, from now on."""
        if self.named:
            self._recorder.listen(self._notice)
            self._task = asyncio.create_task(self._work())

    def ask(self, by: e.By) -> None:
        """Look because somebody wants to see them."""
        self._look(Looked(number=0, why="asked", by=by.name))

    async def leave(self) -> None:
        """Look no more; a command that still runs is ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def _look(self, wanted: Looked) -> None:
        self._number += 1
        self._due.put_nowait(wanted.model_copy(update={"number": self._number}))

    def _notice(self) -> None:
        """One more record is written: has the step that was running failed?"""
        view, before = self._recorder.view, self._running
        self._running = view.running
        if before is None or before == self._running or before == OPENING or view.ended is not None:
            return
        if failed(state := view.step(before)):
            self._look(Looked(number=0, why="failed", step=before, attempt=state.attempt))

    async def _work(self) -> None:
        while True:
            wanted = await self._due.get()
            view, folder = self._recorder.view, self._setting.folder
            env = self._setting.notice_environment(view)
            reads = [self._one(log, wanted, env, folder) for log in self._setting.environment.logs]
            found = await asyncio.gather(*reads)
            self._tell(wanted.model_copy(update={"logs": tuple(found)}))
            self._told = wanted.number
            self._caught_up.set()

    async def _one(self, log: Log, wanted: Looked, env: Mapping[str, str], folder: Path) -> OneLog:
        if log.url:
            return OneLog(name=log.name, url=log.url)
        said = await said_by_command(log, self._recorder.redactor, env, self._setting.project.folder, self._seconds)
        if not said.lines:
            return OneLog(name=log.name, wrong=said.wrong or "it said nothing")
        try:
            kept = await self._keep(folder, log, wanted.number, said)
        except Problem as problem:
            return OneLog(name=log.name, tail=said.tail, wrong=f"not kept: {problem.what}")
        return OneLog(name=log.name, path=kept.path, lines=len(said.lines), tail=said.tail, wrong=said.wrong)

    async def _keep(self, folder: Path, log: Log, number: int, said: "Said") -> e.ArtefactKept:
        """Write the lines beside the journal, and say so in it. Raises Problem."""
        name = f"{log.name}.log"
        path = folder / "artefacts" / f"{self._recorder.view.seq + 1:06d}-{LOGS}-{number}-{name}"

        def write() -> tuple[str, int]:
            try:
                make_folder(path.parent)
                write_private(path, said.text.encode())
                path.chmod(mode_in(path.parent))
                return fingerprint_file(path)
            except OSError as error:
                raise Problem(f"{path}: {error.strerror}.") from None

        sha256, size = await asyncio.to_thread(write)
        shown = str(path.relative_to(folder))
        kept = e.ArtefactKept(step=LOGS, attempt=number, name=name, path=shown, sha256=sha256, size=size)
        if self._takes:
            self._recorder.append(kept)
        return kept

    def _tell(self, looked: Looked) -> None:
        if self._takes:
            try:
                self._recorder.append(e.StepProgress(step=LOGS, attempt=looked.number, data=data_of(looked)), sync=True)
            except JournalBroken:
                return  # the runner has heard of it

    @property
    def _takes(self) -> bool:
        """The journal can still be written to."""
        return self._recorder.view.ended is None and self._recorder.broken is None


def failed(state: StepView) -> bool:
    """Whether an attempt has not done what it was for."""
    return state.status == "ended" and (state.end in ("failed", "crashed") or state.outcome == "fail")


async def said_by_command(log: Log, redactor: Redactor, env: Mapping[str, str], cwd: Path, seconds: float) -> "Said":
    """Run the command of a log, and keep its last lines, secrets taken out across their pieces."""
    said, streams = Said(), {name: redactor.stream() for name in ("out", "err")}

    async def keep(stream: Stream, text: str) -> None:
        said.feed(streams[stream].feed(text))

    try:
        ended = await run(log.command, env=env, cwd=cwd, on_text=keep, timeout=seconds)
        said.wrong = f"{log.command[0]} ended with {ended.returncode}" if ended.returncode else ""
    except Problem as problem:
        said.wrong = problem.what
    for stream in streams.values():
        said.feed(stream.flush())
    if said.open:
        said.feed("\n")
    return said


@dataclass(slots=True)
class Said:
    """The last lines of what a command said, and what went wrong with it."""

    lines: "deque[str]" = field(default_factory=lambda: deque(maxlen=KEPT))
    open: str = ""
    wrong: str = ""

    def feed(self, text: str) -> None:
        """Take a piece of it."""
        *whole, self.open = (self.open + text).split("\n")
        self.open = self.open[:LONGEST]
        self.lines.extend(line[:LONGEST].rstrip("\r") for line in whole)

    @property
    def text(self) -> str:
        """As it is kept."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last few, as they are shown at once."""
        said = [line for line in self.lines if line.strip()]
        return tuple(line[:TAIL_LONGEST] for line in said[-TAIL:])
