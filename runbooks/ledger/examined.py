"""A target's ledger, examined: the doctor's diagnosis, with what git and earlier sessions know beside it."""

import asyncio
import difflib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from migrations.doctor import Facts, State, diagnose
from migrations.doctor.history import Edit, by_hand
from migrations.doctor.reading import read_facts
from migrations.doctor.state import Way
from migrations.folder import SCRIPT, same_checksum
from migrations.listed import many
from migrations.own import register
from migrations.target import Pinned, environment_mark
from runbooks.history.earlier import identity, known_before
from runbooks.history.own_before import own_before
from runbooks.history.sessions import sessions_root
from runbooks.planning.git import latest_text
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import read_urls, target_of

MOST_FILES, MOST_LINES = 5, 40
"""So many files are looked up in git, and so many lines of a difference are shown."""
LONGEST = 5000
"""Lines of a file, above which its difference is not made: the time that takes grows with their square."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was read, and what it means."""

    facts: Facts
    states: tuple[State, ...]
    history: tuple[Edit, ...] = ()
    """What the ledger shows that gonogo has not written."""


async def examine(
    conn: psycopg.AsyncConnection[Any],
    target: Pinned,
    project: Project,
    environment: Environment,
    root: Path,
    *,
    besides: str = "",
) -> Examined:
    """Read and diagnose. `root` is where sessions lie; the one `besides`, which asks, does not count.

    Raises Misuse, Problem.
    """
    path = project.folder / project.migrations
    facts = await read_facts(conn, path, target.url.schema)
    assert target.pin is not None
    open_rows = tuple(row.id for row in facts.rows or () if row.applied.failed)
    here = identity(target.pin)
    known = await asyncio.to_thread(known_before, root, environment.name, here, open_rows, besides=besides)
    facts = replace(facts, earlier=known.reading, sessions=known.open)
    states = [await _with_git(state, facts, path) for state in diagnose(facts, environment.name)]
    own = (await register.known(conn)).and_what(await asyncio.to_thread(own_before, root, environment.name, here))
    return Examined(facts, tuple(states), by_hand(facts.rows or (), own))


async def examine_alone(
    project: Project, environment: Environment, environ: Mapping[str, str], *, name: str
) -> tuple[Pinned, Examined, str | None]:
    """Outside of a session, by a connection of this `name`: the target, what was found, and how the database is marked.

    Raises Misuse, Problem or Unavailable.
    """
    target = target_of(environment, read_urls(environment, environ))
    connection = await target.open("read", application_name=name)
    try:
        found = await examine(connection, target, project, environment, sessions_root(project, environ))
        return target, found, await environment_mark(connection)
    finally:
        await connection.close()


async def _with_git(state: State, facts: Facts, folder: Path) -> State:
    """What git has of files that were edited, or are gone."""
    if state.name not in ("edited", "ahead", "removed"):
        return state
    found: list[tuple[str, str, str]] = []
    for name in state.migrations[:MOST_FILES]:
        checksums = [row.applied.checksum for row in facts.live[name]]
        path = folder / name / SCRIPT
        known = await latest_text(path, partial(_is_one_of, checksums))
        if known is not None:
            found.append((name, *known))
    if not found:
        return replace(state, details=("git has no text that fits the ledger.",))
    paths = {name: shlex.quote(str(folder / name / SCRIPT)) for name, _, _ in found}
    commands = tuple(f"git checkout {commit[:12]} -- {paths[name]}" for name, commit, _ in found)
    details = await asyncio.to_thread(lambda: [line for each in found for line in _told(*each, facts)])
    first, *others = state.ways
    return replace(state, details=tuple(details), ways=(Way((*first.steps, *commands), first.when), *others))


def _is_one_of(checksums: list[str], text: str) -> bool:
    return any(same_checksum(checksum, text) for checksum in checksums)


def _told(name: str, commit: str, text: str, facts: Facts) -> Iterable[str]:
    yield f"{name}: commit {commit[:12]} has the text that was applied"
    on_disk = facts.scripts.get(name)
    if on_disk is None:
        return
    old, new = text.splitlines(), on_disk.text.splitlines()
    if max(len(old), len(new)) > LONGEST:
        yield f"too long to be compared here: applied {many(len(old), 'line')}, on disk {len(new)}"
        return
    lines = list(difflib.unified_diff(old, new, "applied", "on disk", lineterm=""))
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"and {many(len(lines) - MOST_LINES, 'line')} more"
