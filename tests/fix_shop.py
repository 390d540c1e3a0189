"""The demo's shop on the tests' own server, with its app in this process: a session of it is driven like any other."""

import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cheap import making
from fix_command import SmallProject
from fix_live import Live
from fix_postgres import apart
from psycopg import sql

import runbooks.demo
from migrations.server import ThrowawayServer
from runbooks.demo.app import Server, Shop
from runbooks.demo.shop import make_history

FILES = Path(runbooks.demo.__path__[0]) / "files"
TEMPLATE = "shop_before"
HERE = "shop_here"
ELSEWHERE = "shop_elsewhere"
PASSWORD = "what-customers-do-not-know"
COMMANDS = (
    *("check", "preflight", "generate", "build", "flag_off", "flag_on", "backfill", "seed"),
    *("infrastructure", "create", "validate", "format", "typecheck", "test", "status", "commit"),
    *("deploy", "redeploy", "stop", "resume", "e2e"),
)
"""What the shop's own commands say is looked at in the demo; here they say nothing."""


@pytest.fixture(scope="session")
def shop_before(
    server: ThrowawayServer, admin: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A folder with the shop's files; its history and a few orders are in the database TEMPLATE."""
    folder = tmp_path_factory.mktemp("shop") / "project"
    shutil.copytree(FILES, folder)
    (folder / "prisma").mkdir()
    (folder / "migrations").rename(folder / "prisma" / "migrations")
    admin.execute(making(server, TEMPLATE))
    apart(make_history(folder, server.url(TEMPLATE), 200))
    yield folder
    for name in (TEMPLATE, HERE):
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def shop(
    shop_before: Path, server: ThrowawayServer, admin: psycopg.Connection[Any], tmp_path: Path
) -> Iterator[SmallProject]:
    """The shop as a project: its five scripts are pending. The app, in version 2, answers from this process."""
    folder = tmp_path / "shop"
    shutil.copytree(shop_before, folder)
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(HERE)))
    admin.execute(making(server, HERE, TEMPLATE))
    project = SmallProject(folder, server.url(HERE), server.bin)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        app = Server(listening, Shop(2, project.url))
        thread = threading.Thread(target=app.serve_forever, args=(0.05,))
        thread.start()
        _write(project, f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield project
        app.shutdown()
        thread.join()
        app.server_close()


def _write(project: SmallProject, app: str) -> None:
    values = {
        **dict.fromkeys(COMMANDS, "true"),
        **{"app": app, "health": "/health", "sign_in": "/sessions", "things": "/orders"},
        **{"smoke_user": "smoke@shop.example", "thing": '{ "customer": 1, "product": 1 }'},
        "backup": "umask 077; mkdir -p backups; pg_dump --format=custom --file=backups/shop.dump",
        "backups": "backups/*.dump",
        "damaged": "public.customers",
        "watch": "0s",
        "snapshot": "echo snapshot snap-0a1b2c3d is taken",
        "apply_locally": f"{sys.executable} -P -m runbooks.demo.scripts apply",
    }
    lines = ["[project]", 'name = "shop"', 'secrets = ["SMOKE_PASSWORD"]', "[environments.here]"]
    lines += ['url = "SHOP_HERE_URL"', 'restored_url = "SHOP_ELSEWHERE_URL"', 'runbook = "small.md"']
    lines += ["[environments.here.values]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    (project.folder / "gonogo.toml").write_text("\n".join(lines) + "\n")


@pytest.fixture
async def at_the_shop(shop: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Live]:
    """A session of the shop that has not been started yet: write its `small.md` first."""
    variables = {**shop.env, "SHOP_HERE_URL": shop.url, "SHOP_ELSEWHERE_URL": "", "SMOKE_PASSWORD": PASSWORD}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0o077)
    session = Live(shop, tmp_path / "20260131T020304Z-here-7f3a")
    yield session
    await session.drop()
    os.umask(umask)


@pytest.fixture
def restored(
    server: ThrowawayServer, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Makes a database that is as the shop's was before the session, where gonogo.toml looks for it."""

    def make() -> None:
        admin.execute(making(server, ELSEWHERE, TEMPLATE))
        monkeypatch.setenv("SHOP_ELSEWHERE_URL", server.url(ELSEWHERE))

    yield make
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(ELSEWHERE)))
