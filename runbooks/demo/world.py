"""What a demo session stands on: its PostgreSQL and its app, started with the runner and gone with it."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from migrations.problem import Unavailable
from migrations.process import Held
from migrations.server import ThrowawayServer
from runbooks.session.frozen import Frozen
from runbooks.settings.project import Project

MARK = "demo.json"
READY_SECONDS = 30.0


class Demo(Frozen):
    """`demo.json`: what makes a project folder the demo's. `databases` and `passwords` go by environment."""

    databases: dict[str, str]
    role: str
    password: str
    port: int
    smoke_password: str


@dataclass
class World:
    """What a session's runner gets from its surroundings: variables, and whether they can go for good."""

    variables: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False

    def over(self) -> None:
        """The session has ended: nothing needs to be left."""
        self.ended = True


@asynccontextmanager
async def world_of(project: Project, environment: str) -> AsyncIterator[World]:
    """The world of a project: for the demo's, its server and app; for all others nothing. Raises Unavailable."""
    mark = project.folder / MARK
    if not mark.exists():
        yield World()
        return
    demo = Demo.model_validate_json(mark.read_text())
    world = World()
    async with AsyncExitStack() as stack:
        server = await ThrowawayServer.start(project.folder / "postgres", settings=SETTINGS)
        stack.push_async_callback(server.stop)
        place = Path(tempfile.mkdtemp(prefix="gonogo-shop-", dir="/tmp"))
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        world.variables = variables(demo, server, place)
        keeper = await _keep_app(project.folder, demo, environment, world.variables, place)
        stack.push_async_callback(_let_go, keeper)
        yield world
    if world.ended:
        await asyncio.to_thread(shutil.rmtree, project.folder, ignore_errors=True)


SETTINGS = {"fsync": "off", "max_prepared_transactions": "2"}


def variables(demo: Demo, server: ThrowawayServer, place: Path) -> dict[str, str]:
    """Addresses by the names in gonogo.toml; the server's own programs first on the PATH."""
    addresses = {
        f"SHOP_{name.upper()}_URL": server.url(database, demo.role, demo.password)
        for name, database in demo.databases.items()
    }
    return {
        **addresses,
        "PATH": f"{server.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SHOP_CONTROL": str(place / "control"),
        "SHOP_PYTHON": sys.executable,
        "SMOKE_PASSWORD": demo.smoke_password,
    }


async def _keep_app(folder: Path, demo: Demo, environment: str, given: Mapping[str, str], place: Path) -> Held:
    ready = folder / "ready"
    ready.unlink(missing_ok=True)
    keeper = await Held.start(
        [sys.executable, "-P", "-m", "runbooks.demo.keeper", str(folder), str(demo.port), given["SHOP_CONTROL"]],
        env={**os.environ, **given, "SHOP_URL": given[f"SHOP_{environment.upper()}_URL"]},
        remove=(place,),
    )
    over = asyncio.create_task(keeper.ended())
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not ready.exists():
                if over.done():
                    raise Unavailable(f"The shop's app did not start: is port {demo.port} taken?")
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise Unavailable("The shop's app did not start in time.") from None
    finally:
        over.cancel()
    return keeper


async def _let_go(keeper: Held) -> None:
    keeper.let_go()
    await keeper.ended()
    await keeper.close()
