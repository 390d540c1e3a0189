"""A session whose runner is in this process, driven by commands over its own socket."""

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from fix_command import SmallProject

from runbooks.faces.client import Client
from runbooks.faces.launch import Request
from runbooks.journal import read
from runbooks.running.runner import Runner
from runbooks.running.runner_log import RunnerLog
from runbooks.session import events as e
from runbooks.session.commands import Command, Start
from runbooks.session.view import RunView

SECONDS = 30.0
ANA = e.By(name="ana@example.org", os_user="ana", host="bastion-1")


HEAD = """# Small

```toml runbook
name = "small"
```

"""
TAIL = """
## Rollback

### Forward fix

```toml option
id = "forward"
costs = "some time"
loses = "nothing"
```
"""
PHASES = ("Backup", "Preflight", "Migrate", "Verify", "Deploy", "Smoke")
SLEEP = """```sh run id="sleep" title="Sleep"
echo ready
trap 'sleep 1; echo tidy; exit 1' TERM
while :; do sleep 0.1; done
```
"""


def write(live: "Live", **sections: str) -> None:
    """The runbook, with these phases filled in."""
    text = "".join(f"## {name}\n\n{sections.get(name.lower(), '')}\n" for name in PHASES)
    (live.small.folder / "small.md").write_text(HEAD + text + TAIL)


async def asleep(live: "Live") -> None:
    """A session whose one step runs, has printed something, and does not end by itself."""
    write(live, backup=SLEEP)
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.do(Start(step="sleep"))
    await live.until(lambda view: view.step("sleep").lines)


def shell(id: str, text: str) -> str:
    """A run block."""
    return f'```sh run id="{id}" title="{id.capitalize()}"\n{text}\n```\n\n'


def kinds(live: "Live") -> list[str]:
    """The kinds of all that is on disk."""
    return [event.kind for event in live.events]


async def settle(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; fail after 30 seconds."""
    deadline = time.monotonic() + SECONDS
    for _ in range(10_000):
        if condition():
            return
        assert time.monotonic() < deadline, "it did not come to pass in time"
        await asyncio.sleep(0.005)


class Live:
    """One session of the small project. `start` runs it; a second `start` takes it up again."""

    def __init__(self, small: SmallProject, folder: Path) -> None:
        self.small = small
        self.folder = folder
        self.log = io.BytesIO()
        self.client: Client
        self.runner: asyncio.Task[int]

    async def start(
        self,
        *,
        sort: str | None = "screen",
        mode: str = "walk",
        emergency: str = "",
        windows: tuple[str, ...] = (),
        park_seconds: float = SECONDS,
        face_seconds: float = SECONDS,
    ) -> None:
        """Start a runner, and attach unless `sort` is None."""
        resume = (self.folder / "journal.jsonl").exists()
        if not resume:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            (self.folder / "runbook.md").write_bytes((self.small.folder / "small.md").read_bytes())
        request = Request.model_validate(
            {
                "resume": resume,
                "project": str(self.small.folder / "gonogo.toml"),
                "environment": "here",
                "mode": mode,
                "ticket": "CHG-1",
                "operator": ANA,
                "headless": sort == "headless",
                "emergency": emergency,
                "windows": windows,
            }
        )
        runner = Runner(self.folder, request, RunnerLog(self.log), park_seconds=park_seconds, face_seconds=face_seconds)
        self.runner = asyncio.create_task(runner.run())
        if sort is not None:
            await self.attach(sort)

    async def attach(self, sort: str = "screen") -> None:
        """Attach as soon as the runner answers."""
        await settle(lambda: (self.folder / "runner.json").exists() or self.runner.done())
        self.client = await Client.attach(self.folder, sort=sort, by=ANA)

    async def until(self, condition: Callable[[RunView], object]) -> RunView:
        """Wait until the face's view fulfils a condition."""
        await settle(lambda: condition(self.client.view))
        return self.client.view

    async def do(self, command: Command) -> None:
        """Send a command that must be taken."""
        assert await self.client.send(command) is None

    async def refused(self, command: Command) -> str:
        """Send a command that must be refused; why it was."""
        refusal = await self.client.send(command)
        assert refusal is not None
        return refusal

    async def over(self) -> int:
        """The runner's exit code, once it has left."""
        return await asyncio.wait_for(asyncio.shield(self.runner), SECONDS)

    async def drop(self) -> None:
        """The face leaves, if it is there; the runner is ended, if it is at work."""
        if hasattr(self, "client"):
            await self.client.close()
        if hasattr(self, "runner") and not self.runner.done():
            self.runner.cancel()
            await asyncio.wait([self.runner])

    @property
    def events(self) -> list[e.Event]:
        """All that is on disk."""
        return [record.event for record in read(self.folder / "journal.jsonl")]


Begin = Callable[..., Awaitable[Live]]


@pytest.fixture
async def live(small: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Live]:
    """A session that has not been started yet: write the runbook first, `live.small` is its project."""
    for name, value in small.env.items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0o077)
    session = Live(small, tmp_path / "20260131T020304Z-here-7f3a")
    yield session
    await session.drop()
    os.umask(umask)
