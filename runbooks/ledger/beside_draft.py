"""The database that a compensating migration is drafted for."""

from collections.abc import Mapping, Sequence

from migrations import ledger
from migrations.drafting.beside import Beside, beside
from migrations.replay import Source
from runbooks.settings.project import Environment
from runbooks.settings.setting import read_urls, target_of


async def read_beside(
    environment: Environment, sources: Sequence[Source], of: str, environ: Mapping[str, str]
) -> Beside:
    """Read an environment's database. Raises Misuse, Problem, Unavailable; changes nothing."""
    target = target_of(environment, read_urls(environment, environ))
    connection = await target.open("read", application_name="gonogo new")
    try:
        rows = await ledger.read(connection, target.url.schema)
        applied = any(row.name == of and row.finished_at is not None and not row.rolled_back for row in rows or ())
        return await beside(connection, environment.name, sources, target.url.schema, applied=applied)
    finally:
        await connection.close()
