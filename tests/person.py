"""A person at a session: attaches as a screen does, sees what the screen would show, decides by command."""

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from runbooks.demo import shop
from runbooks.faces import launch
from runbooks.faces.client import Client
from runbooks.faces.launch import USUAL, Lane
from runbooks.session import commands as c
from runbooks.session.events import By
from runbooks.session.view import RunView
from runbooks.settings import project as projects

ANA = By(name="ana@example.org", os_user="ana", host="ops-1")
SECONDS = 90.0


class Person:
    """Ticks, reviews and waives by the demo's answers, and calls GO; where a test wants otherwise, it says so."""

    def __init__(self, client: Client, answers: Path | None = None) -> None:
        self.client = client
        self._known = tomllib.loads(answers.read_text()) if answers else {}

    @property
    def view(self) -> RunView:
        return self.client.view

    async def until(self, reached: Callable[[RunView], object]) -> RunView:
        """Wait, bounded, until the view fulfils a condition."""
        async with asyncio.timeout(SECONDS):
            async for view in self.client.changes():
                if reached(view):
                    return view
        raise AssertionError(f"the session ended first: {self.view.ended}")

    async def sends(self, command: c.Command) -> None:
        """Send a command that must be taken."""
        refused = await self.client.send(command)
        assert refused is None, refused

    async def runs(self, step: str) -> None:
        """Start a step, and wait until it has ended well."""
        await self.sends(c.Start(step=step))
        state = (await self.until(lambda v: v.step(step).status == "ended")).step(step)
        assert state.end == "done" and state.outcome in ("ok", "warn"), (state.failure, state.checks)

    async def settles(self) -> None:
        """Everything that the open section asks for."""
        while True:
            view = await self.idle()
            if (step := view.next_start) is not None:
                await self.runs(step.id)
            elif (command := self._lift(view)) is not None:
                await self.sends(command)
            else:
                assert view.gate.ready, view.gate.holds
                return

    async def goes(self) -> None:
        """Settle what stands open, call GO, and wait for what follows."""
        await self.settles()
        phase = self.view.phase
        await self.sends(c.Decide(what="go", phase=str(phase)))
        await self.until(lambda v: v.phase != phase or v.ended is not None)

    async def idle(self) -> RunView:
        """Wait until nothing runs, and nothing is about to start by itself."""
        return await self.until(lambda v: v.running is None and v.next_reading is None)

    async def ends(self) -> None:
        """End the session, whatever it does."""
        async with asyncio.timeout(SECONDS):
            while self.view.ended is None and not self.client.gone:
                await self.client.send(c.Cancel() if self.view.running else c.EndSession(reason="the test is over"))
                await asyncio.sleep(0.05)

    def _lift(self, view: RunView) -> c.Command | None:
        scripts = {s.migration: s.sha256 for s in view.to_review}
        for hold in view.gate.holds:
            if hold.kind == "item":
                return c.Tick(item=hold.subject, evidence=str(self._known.get("items", {}).get(hold.subject, "seen")))
            if hold.kind == "review":
                return c.Review(migration=hold.subject, sha256=scripts[hold.subject])
            if hold.waivable and hold.subject in self._known.get("waivers", {}):
                return c.Waive(subject=hold.subject, reason="known")
        return None


@asynccontextmanager
async def at_the_demo(environment: str = "staging") -> AsyncIterator[Person]:
    """A person at a new session of the demo shop (2 000 orders), the opening behind them."""
    made = await asyncio.to_thread(shop.prepare, {**os.environ, "GONOGO_DEMO_ORDERS": "2000"})
    project = projects.load(made.project_file)
    client, _ = await launch.begin(
        made.project_file,
        project,
        project.environments[environment],
        operator=ANA,
        ticket="CHG-1",
        headless=False,
        environ=os.environ,
        lane=Lane(emergency="nobody else is there") if environment == "production" else USUAL,
    )
    person = Person(client, made.answers)
    try:
        if environment == "production":
            view = await person.until(lambda v: v.questions)
            await person.sends(c.Answer(question=next(iter(view.questions)), answer="production"))
        await person.until(lambda v: v.phase == "backup")
        yield person
    finally:
        await person.ends()
        await client.close()
