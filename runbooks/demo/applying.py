"""Applies migrations as Prisma's own command would: for the shop's history, and for its developers."""

from collections.abc import Sequence

from migrations import ledger
from migrations.folder import Migration
from migrations.server.setup import run_script
from migrations.target import Pinned
from migrations.target.url import Url


async def apply_all(url: str, migrations: Sequence[Migration]) -> list[str]:
    """Apply what the ledger does not have yet, and return the names. The ledger is made where there is none."""
    connection = await Pinned(Url.parse(url, variable="SHOP")).open("script", application_name="gonogo demo")
    applied = []
    async with connection:
        if await ledger.find(connection) is None:
            await ledger.create(connection)
        known = {row.applied.name for row in await ledger.rows(connection) or ()}
        for migration in (one for one in migrations if one.name not in known):
            id = await ledger.start(connection, migration.name, migration.checksum)
            await run_script(connection, migration.text)
            await ledger.finish(connection, id)
            applied.append(migration.name)
    return applied
