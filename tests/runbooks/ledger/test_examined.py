"""What git knows beside the diagnosis."""

import asyncio
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path, PosixPath

import pytest

from migrations.doctor import State
from runbooks.ledger.examined import LONGEST, examine
from tests.runbooks.steps.test_ledger_resolve import Resolving

WHO = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")


@pytest.fixture
def ctx(database: str, tmp_path: Path) -> Resolving:
    """A project in git."""
    (tmp_path / "our shop").mkdir()
    ctx = Resolving(database, tmp_path / "our shop")
    for words in (("init", "-q"), ("add", "."), (*WHO, "commit", "-qm", "first")):
        subprocess.run(["git", *words], cwd=ctx.project.folder, check=True)
    return ctx


class Root(PosixPath):
    """A folder that notes whether the event loop stood still while it was read."""

    blocked: bool | None = None

    def iterdir(self) -> Iterator["Root"]:
        Root.blocked = threading.current_thread() is threading.main_thread()
        return super().iterdir()


async def edited(ctx: Resolving, text: str) -> State:
    """The state of script 1, which was applied and now reads so."""
    (ctx.project.migrations / "1" / "migration.sql").write_text(text)
    async with ctx.connect("read") as conn:
        found = await examine(conn, ctx.target, ctx.project, ctx.environment, Root(ctx.project.folder))
    return next(state for state in found.states if state.name == "edited")


async def test_the_command_that_brings_a_text_back_can_be_pasted(ctx: Resolving) -> None:
    state = await edited(ctx, "CREATE TABLE z ()")
    assert "-CREATE TABLE a ()" in state.details
    command = shlex.split(state.ways[0].steps[-1])
    await asyncio.to_thread(subprocess.run, command, cwd=ctx.project.folder, check=True)
    assert (ctx.project.migrations / "1" / "migration.sql").read_text() == "CREATE TABLE a ()"


async def test_what_takes_long_does_not_stop_the_event_loop(ctx: Resolving) -> None:
    state = await edited(ctx, "SELECT 1;\n" * (LONGEST + 1))
    assert state.details[1:] == ("too long to be compared here: applied 1 line, on disk 5001",)
    assert Root.blocked is False, "earlier sessions are read beside it, too"
