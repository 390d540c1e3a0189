"""Whether two major versions only spell a definition differently: the throw-away server is told the target's words."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import psycopg

from migrations.catalog import Snapshot, snapshot
from migrations.catalog.diff import Difference, differences
from migrations.drift.sql import Undoing
from migrations.drift.sql.create import Make

Connection = psycopg.AsyncConnection[Any]

SPELLED = ("definition", "default", "generated", "body")
Spelling = tuple[str, str, str, str]
"""Kind and name of an object, the attribute, and the hash of the target's words."""


def doubtful(replayed: Snapshot, target: Snapshot) -> list[Difference]:
    """What may be said in other words only."""
    found = differences(replayed.objects, target.objects)
    return [each for each in found if each.attribute in SPELLED and each.was is not None and each.now is not None]


def spelling_of(each: Difference) -> Spelling:
    """What a verdict on it is kept under."""
    return each.kind, each.name, each.attribute, sha256((each.now or "").encode()).hexdigest()[:24]


async def verdicts(conn: Connection, replayed: Snapshot, target: Snapshot, owner: str) -> dict[Spelling, bool]:
    """Whether each doubtful one means the same: with the target's words, the replayed database stays what it is.

    Nothing that is tried stays.
    """
    found = doubtful(replayed, target)
    if not found:
        return {}
    major = conn.info.server_version // 10000
    other_way = Undoing(target.objects, replayed.objects, major, Make.of(target.objects, replayed.objects, owner))
    await conn.execute("BEGIN")
    try:
        said = [await _try(conn, other_way, each) for each in found]
        after = await snapshot(conn, bodies=True)
    finally:
        await conn.execute("ROLLBACK")
    return {
        spelling_of(each): done and after.objects.get(f"{each.kind} {each.name}", {}).get(each.attribute) == each.was
        for each, done in zip(found, said, strict=True)
    }


async def _try(conn: Connection, other_way: Undoing, each: Difference) -> bool:
    """Say it in the target's words; False where that cannot be said."""
    swapped = Difference(each.kind, each.name, each.attribute, each.after, each.before)
    statements = [s for s in other_way.remedy(swapped).statements if s not in ("BEGIN", "COMMIT")]
    try:
        async with conn.transaction():
            for statement in statements:
                await conn.execute(statement.replace("INDEX CONCURRENTLY ", "INDEX ").encode())
    except psycopg.Error:
        return False
    return bool(statements)


def respelled(target: Snapshot, replayed: Snapshot, known: Mapping[Spelling, bool]) -> Snapshot:
    """The target in the words of the replay, where those mean the same."""
    objects = dict(target.objects)
    for each in doubtful(replayed, target):
        if known.get(spelling_of(each)) and each.was is not None:
            key = f"{each.kind} {each.name}"
            objects[key] = {**objects[key], each.attribute: each.was}
    return Snapshot(objects)
