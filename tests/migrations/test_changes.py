"""What is told of the time since a dump."""

import time
from pathlib import Path

import psycopg
from dumping import MIGRATE, connector, dumped, fill, pinned

from migrations import ledger
from migrations.backup.state import State
from migrations.restore.changes import Changes, Written, what_changed
from migrations.server import ThrowawayServer

LEDGER = ledger.TABLE.format('"_prisma_migrations"')
ROW = """
INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES (gen_random_uuid(), '', '{}', {})
"""


def execute(url: str, *statements: str) -> None:
    """In a session of its own, whose end brings its writes into the statistics."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


async def seen(url: str, state: State, writes: int) -> Changes:
    """What changed, as soon as the statistics have heard of so many writes."""
    deadline = time.monotonic() + 30
    while True:
        async with connector(pinned(url))() as connection:
            changes = await what_changed(connection, state, None)
        if sum(w.total for w in changes.written.values()) >= writes or time.monotonic() > deadline:
            return changes


async def test_what_a_migration_did(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    execute(database, LEDGER, ROW.format("1_init", "now()"))
    dump = await dumped(pinned(database), tmp_path, server.bin)
    assert [m.name for m in dump.state.migrations or ()] == ["1_init"]
    execute(database, MIGRATE, ROW.format("2_shipments", "now()"))
    changes = await seen(database, dump.state, 5000 + 10 + 1000)
    assert changes.committed
    assert (changes.applied, changes.open) == (("2_shipments",), ())
    assert any("shipments" in line for line in changes.schema)
    assert any("email" in line for line in changes.schema)
    assert changes.written['public."Ord""ers 26"'] == Written(0, 10, 0)
    assert changes.written["public.shipments"] == Written(5000, 0, 1000)
    assert "public.customers" not in changes.written
    assert "public._prisma_migrations" not in changes.written


async def test_nothing_was_committed(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    """The app wrote, a migration failed and left its open row; none of it is to be rolled back."""
    fill(database)
    execute(database, LEDGER, ROW.format("1_init", "now()"))
    dump = await dumped(pinned(database), tmp_path, server.bin)
    execute(database, ROW.format("2_bad", "NULL"), "INSERT INTO customers VALUES (1000, 'new')")
    changes = await seen(database, dump.state, 1)
    assert not changes.committed
    assert (changes.applied, changes.open, changes.schema) == ((), ("2_bad",), ())
    assert changes.written == {"public.customers": Written(1, 0, 0)}


async def test_counters_that_began_anew(server: ThrowawayServer, database: str, tmp_path: Path) -> None:
    fill(database)
    dump = await dumped(pinned(database), tmp_path, server.bin)
    execute(database, "SELECT pg_stat_reset()", "INSERT INTO customers VALUES (1000, 'new')")
    changes = await seen(database, dump.state, 1)
    assert changes.written["public.customers"] == Written(1, 0, 0, least=True)
