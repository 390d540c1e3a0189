"""Makes a demo: a project folder with a server's data, a filled shop, and its history in Prisma's ledger."""

import asyncio
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from migrations.folder import read_folder
from migrations.problem import Misuse, Unavailable
from migrations.server import ThrowawayServer
from migrations.server.setup import allow_restore_points, create_database, create_role, mark_database, run_script
from migrations.target import Pinned
from migrations.target.url import Url
from runbooks.demo.applying import apply_all
from runbooks.demo.world import MARK, SETTINGS, Demo
from runbooks.history.sessions import state_home

ORDERS = 200_000
MOST_ORDERS = 50_000_000
PENDING = 5
DATABASES = {"production": "shop", "staging": "shop_staging"}
ROLE = "shop"


@dataclass(frozen=True, slots=True)
class Made:
    """Where the demo's project is, and the answers that walk its staging without a person."""

    project_file: Path
    answers: Path

    def remove(self) -> None:
        """Leave nothing of it, if no session stands on it."""
        shutil.rmtree(self.project_file.parent, ignore_errors=True)


def orders_of(environ: Mapping[str, str]) -> int:
    """How many orders the shop has: GONOGO_DEMO_ORDERS, if it is set. Raises Misuse."""
    said = environ.get("GONOGO_DEMO_ORDERS", "").strip()
    if not said:
        return ORDERS
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:12]) <= MOST_ORDERS):
        raise Misuse(
            f"GONOGO_DEMO_ORDERS is no number from 1 to {MOST_ORDERS}.", advice=f"Leave it out for {ORDERS} orders."
        )
    return int(said)


def prepare(environ: Mapping[str, str]) -> Made:
    """Make a new demo. Raises Misuse, Unavailable."""
    orders = orders_of(environ)
    folder = state_home(environ).parent / "demo" / secrets.token_hex(4)
    try:
        folder.mkdir(mode=0o700, parents=True)
        _write_project(folder)
        asyncio.run(_fill(folder, orders))
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise Unavailable(f"The demo cannot be made in {folder}: {error.strerror}.") from None
        raise
    return Made(folder / "gonogo.toml", folder / "answers.toml")


def _write_project(folder: Path) -> None:
    with as_file(files("runbooks.demo") / "files") as source:
        shutil.copytree(source / "migrations", folder / "prisma" / "migrations")
        shutil.copytree(source / "runbooks", folder / "runbooks")
        for name in ("answers.toml", "rows.sql", "shop"):
            shutil.copy(source / name, folder / name)
    (folder / "shop").chmod(0o700)


async def _fill(folder: Path, orders: int) -> None:
    password, smoke_password = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    demo = Demo(databases=DATABASES, role=ROLE, password=password, port=_free_port(), smoke_password=smoke_password)
    server = await ThrowawayServer.start(folder / "postgres", settings=SETTINGS)
    try:
        await create_role(server.url(), demo.role, demo.password)
        await create_database(server.url(), DATABASES["production"], owner=demo.role)
        await make_history(folder, server.url(DATABASES["production"], demo.role, demo.password), orders)
        await allow_restore_points(server.url(DATABASES["production"]), demo.role)
        await create_database(server.url(), DATABASES["staging"], owner=demo.role, template=DATABASES["production"])
        for environment, database in DATABASES.items():
            await mark_database(server.url(), database, environment)
        prints = {
            environment: await _fingerprint(server.url(database, demo.role, demo.password))
            for environment, database in DATABASES.items()
        }
    finally:
        await server.stop()
    template = (files("runbooks.demo") / "files" / "gonogo.toml").read_text()
    text = template.format(app=f"http://127.0.0.1:{demo.port}", **prints)
    (folder / "gonogo.toml").write_text(text)
    (folder / MARK).write_text(demo.model_dump_json())


async def make_history(folder: Path, url: str, orders: int) -> None:
    """What was applied long ago, with the rows that Prisma would have left in its ledger."""
    migrations = read_folder(folder / "prisma" / "migrations")
    await apply_all(url, migrations[:-PENDING])
    connection = await Pinned(Url.parse(url, variable="SHOP")).open("script", application_name="gonogo demo")
    async with connection:
        rows = (folder / "rows.sql").read_text().replace(":orders", str(orders))
        await run_script(connection, rows)


async def _fingerprint(url: str) -> str:
    target = Pinned(Url.parse(url, variable="SHOP"))
    connection = await target.open("read", application_name="gonogo demo")
    await connection.close()
    assert target.pin is not None
    return f"{target.pin.system_identifier}/{target.pin.database}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
