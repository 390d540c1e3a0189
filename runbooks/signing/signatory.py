"""Signs the head of a session's chain as it goes: at the opening, at each GO and at the end."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from migrations.problem import Problem
from runbooks.journal import JournalBroken
from runbooks.journal.records import stamp
from runbooks.running.recorder import Recorder
from runbooks.session.events import SIGNING, ArtefactKept, Event, PlanMade
from runbooks.session.frozen import Frozen
from runbooks.session.view import RunView
from runbooks.signing import HEAD, sign
from runbooks.signing.kept import keep
from runbooks.signing.record import Signed, Unsigned, progress
from runbooks.signing.signed_head import SignedHead
from runbooks.signing.sshsig import Signature

AGENT = "SSH_AUTH_SOCK"
AGENTS = 4
"""So many agents are asked at the most, the newest first."""


class Signing(Frozen):
    """With which key a session is signed: the path of its file."""

    key: str


class Signatory:
    """Signs beside everything else. A key that is not there is told in the journal, and stops nothing."""

    def __init__(
        self, recorder: Recorder, folder: Path, signing: Signing | None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._recorder = recorder
        self._folder = folder
        self._signing = signing
        self._environ = environ
        self._agents = [environ.get(AGENT, "")]
        self._plan: PlanMade | None = recorder.view.plan
        self._due: asyncio.Queue[SignedHead | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Sign the record that the session was opened or resumed with, and go on from there, if it is to be signed."""
        if self._signing is not None:
            self._go_on("resume" if self._recorder.view.seq else "opening")

    def without_key(self) -> None:
        """Say in the record that it was to be signed, and is not."""
        reason = "no key was at hand, as whoever began it said by --unsigned"
        self._recorder.append(progress(Unsigned(record=self._recorder.view.seq, why="opening", reason=reason)))

    def attended(self, signing: Signing | None, agent: str) -> None:
        """A person of this account has come. Their key signs from now on, if they bring one.

        An agent that a terminal brought goes with it: theirs is asked first.
        """
        if agent:
            self._agents = [agent, *(one for one in self._agents if one != agent)][:AGENTS]
        if self._recorder.view.ended is None and (signing or (self._recorder.view.unsigned and agent)):
            self._signing = signing or self._signing
            self._go_on("attached")

    def _go_on(self, why: str) -> None:
        self._put(why)
        if self._task is None:
            self._plan = self._recorder.view.plan
            self._recorder.listen(self._look)
            self._task = asyncio.create_task(self._work())

    async def settled(self, seconds: float) -> None:
        """Wait until all that is due by now has been signed, and is in the record; not for longer than that."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._due.join()

    async def finish(self) -> None:
        """Wait until all that is due has been signed."""
        if self._task is not None:
            self._due.put_nowait(None)
            await self._task

    async def leave(self) -> None:
        """Sign no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _look(self) -> None:
        """The recorder has written one more record."""
        why = self._why(self._recorder.view)
        self._plan = self._recorder.view.plan
        if why:
            self._put(why)

    def _why(self, view: RunView) -> str:
        last = view.decisions[-1] if view.decisions else None
        if view.ended is not None:
            return "end"
        if last is not None and last.seq == view.seq and last.event.what == "go":
            return f"go-{last.event.phase}"
        before, now = self._plan, view.plan
        return "plan" if now is not None and (before is None or before.hash != now.hash) else ""

    def _put(self, why: str) -> None:
        view = self._recorder.view
        if view.opened is not None:
            now = stamp(datetime.now(UTC))
            self._due.put_nowait(SignedHead.of(view.opened, view.seq, view.head, why, now))

    async def _work(self) -> None:
        while (head := await self._due.get()) is not None and self._signing is not None:
            events: list[Event]
            try:
                ways = [{**self._environ, AGENT: agent} for agent in self._agents]
                events = await asyncio.to_thread(_made, self._folder, head, self._signing, ways)
            except Problem as problem:
                events = [progress(Unsigned(record=head.seq, why=head.why, reason=str(problem)))]
            for event in events:
                if self._recorder.view.ended is None:  # the end's own signature stands beside the journal alone
                    try:
                        self._recorder.append(event, sync=True)
                    except JournalBroken:
                        return  # the runner has heard of it
            self._due.task_done()


def _made(folder: Path, head: SignedHead, signing: Signing, ways: Sequence[Mapping[str, str]]) -> list[Event]:
    """The files of a signature, and what the journal says of them. Raises Problem."""
    text = head.text()
    signature = _signature(text, Path(signing.key), ways)
    paths = keep(folder, head, signature)
    signed = Signed(record=head.seq, why=head.why, key=signature.fingerprint)
    return [
        _artefact(folder, f"signed text of record {head.seq}", paths[0], text),
        _artefact(folder, f"signature of record {head.seq}", paths[1], signature.armour.encode()),
        progress(signed),
    ]


def _signature(text: bytes, key: Path, ways: Sequence[Mapping[str, str]]) -> Signature:
    """By the first of the ways that leads to the key. Raises what was wrong with that first."""
    first: Problem | None = None
    for environ in ways:
        try:
            return sign(text, HEAD, key, environ)
        except Problem as problem:
            first = first or problem
    assert first is not None
    raise first


def _artefact(folder: Path, name: str, path: Path, data: bytes) -> ArtefactKept:
    where, sha256 = str(path.relative_to(folder)), hashlib.sha256(data).hexdigest()
    return ArtefactKept(step=SIGNING, attempt=1, name=name, path=where, sha256=sha256, size=len(data))
