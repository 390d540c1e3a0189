"""Dumps of test databases, with the real programs."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from migrations import backup, restore
from migrations.backup import Dump, Order
from migrations.backup.beside import derived_name, maintenance
from migrations.restore import Restoring, Side
from migrations.target import Pinned
from migrations.target.url import Url

Connection = psycopg.AsyncConnection[Any]

SHOP = """
CREATE TYPE state AS ENUM ('open', 'paid');
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE "Ord""ers 26" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customers, state state NOT NULL DEFAULT 'open', note text
);
CREATE VIEW "open orders" AS SELECT * FROM "Ord""ers 26" WHERE state = 'open';
INSERT INTO customers SELECT n, 'c' || n || '@example.org' FROM generate_series(1, 200) n;
INSERT INTO "Ord""ers 26" (customer, note) SELECT n % 200 + 1, md5(n::text) FROM generate_series(1, 5000) n;
"""


def fill(url: str) -> None:
    """Put the shop into an empty database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SHOP)
        connection.execute("SELECT pg_stat_force_next_flush()")


def pinned(url: str) -> Pinned:
    """A target that is not pinned yet."""
    return Pinned(Url.parse(url, variable="TEST_URL"))


def connector(target: Pinned) -> Callable[[], AbstractAsyncContextManager[Connection]]:
    """What a step's `ctx.connect` would be."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Connection]:
        connection = await target.open("dump", application_name="gonogo test")
        try:
            yield connection
        finally:
            await connection.close()

    return connect


def environment(target: Pinned) -> dict[str, str]:
    """What the programs see."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", **target.url.libpq_environment()}


async def order(target: Pinned, folder: Path, bin: Path) -> Order:
    """An order for a dump of `target` with the programs in `bin`."""
    connect = connector(target)
    async with connect():
        assert target.pin is not None
    tools = await backup.tools(target.pin.server_major, bin=bin, env={})
    return Order(connect, tools, environment(target), folder, target.url.database, None)


async def dumped(target: Pinned, folder: Path, bin: Path, **changes: Any) -> Dump:
    """A dump of `target`."""
    return await backup.dump(replace(await order(target, folder, bin), **changes))


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


MIGRATE = """
CREATE TABLE shipments (id bigint PRIMARY KEY, "order" bigint NOT NULL REFERENCES "Ord""ers 26");
INSERT INTO shipments SELECT id, id FROM "Ord""ers 26";
ALTER TABLE customers DROP COLUMN email;
UPDATE "Ord""ers 26" SET state = 'paid' WHERE id <= 10;
DELETE FROM shipments WHERE id > 4000;
"""
"""A migration with a table that references an old one, and one that loses data."""


async def restored(target: Pinned, dump: Dump, bin: Path) -> Side:
    """The dump, in a side database."""
    name = derived_name(target.url.database, "gonogo", datetime.now(UTC))
    tools = await backup.tools(target.pin.server_major if target.pin else 0, bin=bin, env={})
    async with maintenance(target, "gonogo test") as connection:
        await restore.create_side(connection, target.url.database, name)
    await restore.fill(Restoring(tools, environment(target), dump.path, name))
    return await restore.settle(target, name, dump.state, "gonogo test")
