"""A database that a draft is meant for: where its replay starts, and whether it has what the draft is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.catalog import snapshot
from migrations.catalog.diff import diff_objects, differences, split_key
from migrations.drift.privileges import alike
from migrations.drift.sql.words import Attributes, Objects
from migrations.replay import Source
from migrations.replay.given import Given, facts, given
from migrations.replay.needs import needs_of
from migrations.sql import read_script

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """`name` in words; `applied`: whether the migration is applied there. `given`: what was there before the first."""

    name: str
    applied: bool
    major: int
    given: Given
    catalog: Objects


async def beside(
    conn: Connection, name: str, sources: Sequence[Source], schema: str | None, *, applied: bool
) -> Beside:
    """Read it. Raises Problem."""
    about, there = await facts(conn), await snapshot(conn, bodies=True)
    needs = needs_of(read_script(source.text) for source in sources)
    start = given(there, about, needs, [source.text for source in sources], schema)
    return Beside(name, applied, about.major, start, alike(there.objects, (about.major, about.major)))


def held_against(there: Beside, was: Objects, is_: Objects, major: int) -> tuple[str, tuple[str, ...]]:
    """Whether the database has what the migration found, or left, of all that it changes: in words, and as lines."""
    if there.major != major:
        return f"{there.name} is PostgreSQL {there.major}, so it was not held against the draft's {major}", ()
    changed = list(differences(was, is_))
    about = {each.of or each.name for each in changed}
    expected = is_ if there.applied else was
    lines = diff_objects(_only(expected, about), _only(there.catalog, about))
    when = "after it" if there.applied else "before it"
    if not lines:
        return f"{there.name} has all that the migration changes as it is {when}", ()
    return f"{there.name} does not have all that the migration changes as it is {when}; correct the draft by it", lines


def _only(objects: Objects, about: set[str]) -> dict[str, Attributes]:
    return {
        key: attributes
        for key, attributes in objects.items()
        if attributes.get("of", split_key(key)[1]) in about or split_key(key)[1] in about
    }
