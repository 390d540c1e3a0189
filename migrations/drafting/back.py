"""The way back over the stretches of a script, found by trying each step on the throw-away server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from migrations.catalog.diff import Difference, differences, split_key
from migrations.drafting.forth import ITS_OWN, Stretch, looked
from migrations.drafting.inverse import Inverse, Way
from migrations.drift.folding import folded
from migrations.drift.sql.words import HOLDERS, Objects
from migrations.sql import Statement
from migrations.sql.mirrored import mirrored

Connection = psycopg.AsyncConnection[Any]

ROUNDS = 10
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Undone:
    """What takes a stretch back. `steps`: each with the difference that it is about, None for a mirrored statement.

    `left`: differences for which no statement was found, with the server's last word.
    """

    stretch: Stretch
    steps: tuple[tuple[Difference | None, Way], ...] = ()
    left: tuple[tuple[Difference, str], ...] = ()


@dataclass(slots=True)
class Back:
    """Walks back on a database in which the script has run. `there`: its catalog, as it was looked at last."""

    conn: Connection
    major: int
    owner: str
    there: Objects = field(default_factory=dict)
    steps: list[tuple[Difference | None, Way]] = field(default_factory=list)

    async def over(self, stretches: Sequence[Stretch]) -> list[Undone]:
        """From the last to the first."""
        born = list(_born(stretches))
        self.there = await looked(self.conn, self.major)
        return [await self._one(stretch, new) for stretch, new in reversed(list(zip(stretches, born, strict=True)))]

    async def _one(self, stretch: Stretch, born: frozenset[str]) -> Undone:
        self.steps = []
        known = {_key(each) for each in differences(stretch.is_, self.there)}
        for statement in reversed(stretch.statements):
            for way in _mirrored(statement):
                await self._try(None, way)
        if self.steps:
            self.there = await looked(self.conn, self.major)
        left: list[tuple[Difference, str]] = []
        for _ in range(ROUNDS):
            found = [d for d in _open(stretch.was, self.there) if _key(d) not in known and not _falls(d, born)]
            left, progress = await self._round(Inverse(stretch.was, self.there, self.major, self.owner), found)
            if not progress:
                break
            self.there = await looked(self.conn, self.major)
        changed = {_key(each) for each in differences(stretch.was, stretch.is_)}
        still = {_key(each): each for each in differences(stretch.was, self.there)}
        left += [(still[key], "") for key in changed & known & still.keys() if not _falls(still[key], born)]
        return Undone(stretch, tuple(self.steps), tuple(left))

    async def _round(self, inverse: Inverse, found: list[Difference]) -> tuple[list[tuple[Difference, str]], bool]:
        left: list[tuple[Difference, str]] = []
        progress = False
        for each in inverse.in_order(found):
            said = ""
            for way in filter(None, inverse.ways(each)):
                said = await self._try(each, way)
                if not said:
                    progress = True
                    break
            else:
                left.append((each, said))
        return left, progress

    async def _try(self, each: Difference | None, way: Way) -> str:
        """What the server says against it; nothing where it is done."""
        if any(way == done and each and other and _key(each) == _key(other) for other, done in self.steps):
            return "it stays as it is"
        try:
            async with self.conn.transaction():
                for statement in way:
                    await self.conn.execute(statement.replace("INDEX CONCURRENTLY ", "INDEX ").encode())
        except psycopg.Error as error:
            return error.diag.message_primary or str(error)
        self.steps.append((each, way))
        return ""


def _open(was: Objects, there: Objects) -> Iterator[Difference]:
    return folded(list(differences(was, there)), was, there)


def _key(each: Difference) -> Key:
    return each.kind, each.name, each.attribute


def _mirrored(statement: Statement) -> Iterator[Way]:
    for action in statement.certain:
        if isinstance(action, ITS_OWN):
            name = action.table if hasattr(action, "table") else action.name
            text = mirrored(statement.text, name.home if name.schema is None else None)
            yield from ((text,),) if text else ()


def _falls(each: Difference, born: frozenset[str]) -> bool:
    """Whether it goes with something that the script itself made: what takes that back takes this along."""
    if each.of:
        return any(f"{kind} {each.of}" in born for kind in HOLDERS)
    return f"{each.kind} {each.name}" in born


def _born(stretches: Sequence[Stretch]) -> Iterator[frozenset[str]]:
    """What was made, before each stretch, by those ahead of it."""
    born: frozenset[str] = frozenset()
    for stretch in stretches:
        yield born
        came, went = (frozenset(_things(one) - _things(other)) for one, other in _both(stretch))
        renamed = any(isinstance(action, ITS_OWN) for s in stretch.statements for action in s.actions)
        born = (born - went) | (came if not renamed or went <= born else frozenset())


def _both(stretch: Stretch) -> tuple[tuple[Objects, Objects], tuple[Objects, Objects]]:
    return (stretch.is_, stretch.was), (stretch.was, stretch.is_)


def _things(objects: Objects) -> set[str]:
    """What is no part of another thing."""
    return {key for key in objects if "of" not in objects[key] and split_key(key)[0] not in ("default privileges",)}
