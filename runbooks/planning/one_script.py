"""One script outside of a plan, read and judged as those of a plan are; its bytes kept beside theirs."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg

from migrations.folder import Migration
from migrations.impact.asked import Asked, asked_of
from migrations.impact.known import Known
from migrations.impact.reading import look_up
from migrations.impact.weigh import Scales
from migrations.problem import Unavailable
from migrations.sql.veil import Veil
from migrations.target import Pinned
from migrations.target.connecting import told
from runbooks.journal.artefacts import make_folder, write_private
from runbooks.planning.plan_told import Room
from runbooks.planning.planning import Analysed, budgets_of, script_told
from runbooks.session.events import Script
from runbooks.settings.project import Review

SECONDS = 10.0


async def known_of(target: Pinned, read: Sequence[Analysed]) -> Known:
    """What the target tells of all that the scripts touch. What it does not tell in time is said. Raises Problem."""
    asked = await asyncio.to_thread(asked_of, [one.script for one in read])
    if asked == Asked():
        return Known()
    connection = await target.open("read", application_name="gonogo plan")
    try:
        async with asyncio.timeout(SECONDS):
            return await look_up(connection, asked)
    except TimeoutError:
        return Known(missing=(f"the tables could not be read within {SECONDS:.0f} s",))
    except psycopg.Error as error:
        raise told(error, lost=connection.closed, where=target.url.shown) from None
    finally:
        await connection.close()


def weighed(one: Analysed, known: Known, review: Review) -> Script:
    """The script as a plan tells it, weighed on its target. Takes a moment: not for the event loop."""
    return script_told(one, Scales(budgets_of(review), known).weigh(one.script, one.findings), Room())


def keep_copies(session: Path, read: Iterable[Analysed]) -> None:
    """Keep the bytes of scripts, by their hash, in a session's folder, for review and execution. Raises Unavailable."""
    scripts = session / "scripts"
    try:
        make_folder(scripts)
    except OSError as error:
        raise Unavailable(f"{scripts} cannot be made: {error.strerror}.") from None
    for one in (script for pair in read for script in pair.scripts):
        migration: Migration = one.migration
        if migration.data is not None:
            _keep(scripts / f"{migration.checksum}.sql", one.veil, migration.data)
        if migration.verify is not None:
            _keep(scripts / f"{migration.verify_sha256}.sql", one.verify_veil, migration.verify)


def _keep(path: Path, veil: Veil, data: bytes) -> None:
    """A copy whose hash is recorded is left as it is."""
    if not veil:
        write_private(path, data)
    elif not path.exists():
        write_private(path, veil.text.encode())


def given(read: Iterable[Analysed]) -> list[tuple[str, str]]:
    """The secrets that stand in scripts, each with its name."""
    veils = (veil for pair in read for one in pair.scripts for veil in (one.veil, one.verify_veil))
    return [(name, value) for veil in veils for value, name in veil.given.items()]
