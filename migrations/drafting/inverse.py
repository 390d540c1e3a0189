"""SQL that takes one difference of two catalogs back: several ways, the best one first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrations.catalog.diff import Difference
from migrations.drift.sql import Undoing, change
from migrations.drift.sql.create import Make
from migrations.drift.sql.words import Objects, holder, local, reference, split_list
from migrations.replay.given import OWNER

Way = tuple[str, ...]
"""Statements that belong together."""

_OURS = re.compile(rf'\b(TO|FROM|ROLE) "{OWNER}"(?!\S)')
"""The role of the throw-away server, which stands for whoever applies the migrations."""
BRACKETS = ("BEGIN", "COMMIT")
TABLES = ("table", "foreign table")
LATEST = (
    *("publication", "event trigger", "policy", "rule", "trigger", "view", "materialized view", "constraint", "index"),
    *("statistics", "column", "default privileges", "sequence", "table", "foreign table", "function", "procedure"),
)
"""Kinds that stand on others before those: what comes last here is dropped last, and made first."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """Leads from the catalog that `is` to the one that `was`. `major`: of the server; `owner`: who runs it."""

    was: Objects
    is_: Objects
    major: int
    owner: str

    def in_order(self, found: list[Difference]) -> list[Difference]:
        """What is to be dropped first, and what is to be made last; in between what changes."""
        return sorted(found, key=_place)

    def ways(self, each: Difference) -> Iterator[Way]:
        """Each of these takes it back, if the server takes it."""
        of_roles = each.attribute in ("owner", "privileges") or each.kind == "default privileges"
        for way in self._ways(each):
            yield tuple(_OURS.sub(r"\1 CURRENT_USER", text) for text in way) if of_roles else way

    def _ways(self, each: Difference) -> Iterator[Way]:
        undoing = Undoing(self.was, self.is_, self.major, Make.of(self.was, self.is_, self.owner))
        within = holder(each.of, self.was, self.is_)
        match each:
            case Difference(kind="column", before=None, attribute="") if within in TABLES:
                yield (f"ALTER TABLE {each.of} DROP COLUMN {local(each.name, each.of)}",)
            case Difference(kind="column", after=None, attribute="", before=was) if within in TABLES and was:
                yield from self._column(each, undoing.make)
            case Difference(kind="column", attribute="type" | "collation") if within in TABLES:
                yield from _of_type(each)
            case Difference(kind="schema", after=None, attribute=""):
                yield tuple(undoing.make.whole("schema", each.name))
            case Difference(kind="composite type", attribute="columns"):
                yield tuple(_attributes(each))
            case Difference(kind="table", attribute="persistence", was="unlogged"):
                yield (f"ALTER TABLE {each.name} SET UNLOGGED",)
            case Difference(kind="table", attribute="parents"):
                yield tuple(_parents(each)) or undoing.remedy(each).statements
            case _:
                remedy = undoing.remedy(each)
                yield tuple(statement for statement in remedy.statements if statement not in BRACKETS)
                if each.before is None and not each.attribute and each.kind != "constraint":
                    yield (f"DROP {reference(each.kind, each.name, each.of, within)}",)

    def _column(self, each: Difference, make: Make) -> Iterator[Way]:
        """Where rows would have no value for it, it comes back first, and forbids null afterwards."""
        was = dict(each.before or {})
        filled = any(name in was for name in ("default", "generated", "identity"))
        if "not null" not in was or filled:
            yield make.remedy("column", each.name).statements
            return
        del was["not null"]
        without = Make.of({**self.was, f"column {each.name}": was}, self.is_, self.owner)
        forbids = change.of_column(each.name, each.of, "not null", "yes", None, self.major)
        yield (*without.remedy("column", each.name).statements, *forbids)


def _place(each: Difference) -> tuple[int, int, int, str, str]:
    rank = LATEST.index(each.kind) if each.kind in LATEST else len(LATEST)
    if each.before is None:
        return 0, rank, 0, each.name, ""
    return (1 if each.attribute else 2), -rank, _of_keys(each), each.name, each.attribute


def _of_keys(each: Difference) -> int:
    """A foreign key stands on the oldest key that fits: that is mostly the primary one."""
    definition = each.before.get("definition", "") if each.before and each.kind == "constraint" else ""
    return 0 if definition.startswith("PRIMARY") else 2 if definition.startswith("FOREIGN") else 1


def _of_type(each: Difference) -> Iterator[Way]:
    """By the cast that there is, or by way of text; a default is taken off meanwhile."""
    was, now = each.before or {}, each.after or {}
    name = local(each.name, each.of)
    column = f"ALTER TABLE {each.of} ALTER COLUMN {name}"
    collation = f" COLLATE {was['collation']}" if "collation" in was else ""
    off = (f"{column} DROP DEFAULT",) if "default" in now else ()
    on = (f"{column} SET DEFAULT {was['default']}",) if "default" in was else ()
    for using in ("", f" USING {name}::{was['type']}", f" USING {name}::text::{was['type']}"):
        yield (*off, f"{column} TYPE {was['type']}{collation}{using}", *on)


def _attributes(each: Difference) -> Iterator[str]:
    """Those that came behind the others."""
    was, now = each.was or "", each.now or ""
    if now.startswith(f"{was}, "):
        for added in split_list(now.removeprefix(f"{was}, ")):
            name = re.match(r'"(?:[^"]|"")+"|\S+', added)
            yield f"ALTER TYPE {each.name} DROP ATTRIBUTE {name[0] if name else added}"


def _parents(each: Difference) -> Iterator[str]:
    if "partition" in (each.before or {}) or "partition" in (each.after or {}):
        return
    was, now = split_list(each.was), split_list(each.now)
    yield from (f"ALTER TABLE {each.name} NO INHERIT {parent}" for parent in now if parent not in was)
    yield from (f"ALTER TABLE {each.name} INHERIT {parent}" for parent in was if parent not in now)
