"""Where a target stands against the migrations folder: what `gonogo status` tells."""

import asyncio
from collections.abc import Mapping

from migrations import ledger
from migrations.folder import read_folder
from migrations.plan import Plan, compare
from migrations.target import Pinned
from runbooks.frozen import Frozen
from runbooks.project import Environment, Project
from runbooks.setting import read_urls


class Status(Frozen):
    """Names, each list in its own order. `first_run`: the database has no ledger yet."""

    environment: str
    address: str
    fingerprint: str
    first_run: bool
    pending: tuple[str, ...]
    applied: tuple[str, ...]
    failed: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    without_script: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Nothing pending and nothing wrong."""
        return not (self.pending or self.failed or self.changed or self.missing or self.without_script)


async def status_of(project: Project, environment: Environment, environ: Mapping[str, str]) -> Status:
    """Read the folder and the ledger. Raises Misuse, Unavailable or Problem."""
    url = read_urls(environment, environ)[environment.direct_url or environment.url]
    folder = await asyncio.to_thread(read_folder, project.migrations)
    target = Pinned(url)
    connection = await target.open("read", application_name="gonogo status")
    try:
        rows = await ledger.read(connection, url.schema)
    finally:
        await connection.close()
    assert target.pin is not None
    found = f"{target.pin.system_identifier}/{target.pin.database}"
    return _status(environment.name, url.shown, found, compare(folder, rows or ()), first_run=rows is None)


def _status(environment: str, address: str, fingerprint: str, plan: Plan, *, first_run: bool) -> Status:
    return Status(
        environment=environment,
        address=address,
        fingerprint=fingerprint,
        first_run=first_run,
        pending=tuple(m.name for m in plan.pending),
        applied=plan.applied,
        failed=plan.failed,
        changed=plan.changed,
        missing=plan.missing,
        without_script=plan.without_script,
    )
