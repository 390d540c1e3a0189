"""Schema and row counts of a moment before the migration, and what became of the rows."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from migrations.catalog import Connection, RowCount, Snapshot, row_counts, snapshot
from migrations.catalog.deletions import Deletions, Habit, deletions, habit
from migrations.catalog.effects import Effects
from migrations.sql.names import Name

LEDGER = "_prisma_migrations"
TOLERANCE = 0.9
"""Two estimates within a tenth of each other count as equal."""

_PART = re.compile(r'"(?:[^"]|"")*"|[^."]+')
_REFERENCES = re.compile(r'REFERENCES ((?:"(?:[^"]|"")*"|[^."(])+\.(?:"(?:[^"]|"")*"|[^."(])+)\(')


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was there at a moment. `deletions`: what others had deleted by then, where that was asked."""

    catalog: Snapshot
    rows: Mapping[str, RowCount]
    deletions: Deletions | None = None

    def to_json(self, clean: Callable[[str], str]) -> str:
        """As text without secrets; `from_json` reads it back."""
        rows = {table: asdict(count) for table, count in sorted(self.rows.items())}
        deleted = self.deletions.to_json() if self.deletions else None
        data = {"catalog": self.catalog.without(clean).to_json(), "rows": rows, "deletions": deleted}
        return json.dumps(data, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Recorded":
        """Also what is kept beside a dump. Raises ValueError, KeyError or TypeError if it is neither."""
        data: dict[str, Any] = json.loads(text)
        rows = {table: RowCount(**count) for table, count in data["rows"].items()}
        deleted = data.get("deletions")
        return cls(Snapshot.from_json(data["catalog"]), rows, Deletions.from_json(deleted) if deleted else None)


@dataclass(frozen=True, slots=True)
class RowChange:
    """A table and its rows before and after: None where it was not there. Partitions are told with their table."""

    table: str
    before: RowCount | None
    after: RowCount | None
    outcome: Literal["ok", "warn", "fail"]
    words: str


async def record(conn: Connection, *, exact_below: int) -> Recorded:
    """Read schema and rows. Raises Problem."""
    counted = await row_counts(conn, exact_below=exact_below)
    return Recorded(await snapshot(conn), counted, await deletions(conn))


def name_of(text: str) -> Name:
    """Schema and table of a quoted name, as PostgreSQL writes it."""
    parts = [p[1:-1].replace('""', '"') if p.startswith('"') else p for p in _PART.findall(text)]
    return Name(parts[0], parts[1]) if len(parts) > 1 else Name(None, parts[0])


def row_changes(
    before: Recorded,
    after: Recorded,
    effects: Effects,
    *,
    may_shrink: Iterable[Name] = (),
    first: Deletions | None = None,
) -> tuple[RowChange, ...]:
    """What became of the rows of each table, sorted by table. `may_shrink`: tables that the app itself deletes from.

    `first`: what others had deleted when this session looked for the first time, some time before `before`.
    """
    old = _by_table(before.rows, before.catalog.partition_root)
    known = set(before.rows)
    new = _by_table(
        after.rows, lambda t: before.catalog.partition_root(t) if t in known else after.catalog.partition_root(t)
    )
    habits = {table: habit(parts, first, before.deletions, after.deletions) for table, parts in _parts(before).items()}
    through_views = effects.reduced & {name_of(view) for view in before.catalog.names("view")}
    hidden = bool(effects.opaque or through_views)
    judge = _Judge(effects, _losing(before.catalog, effects), frozenset(may_shrink), habits, hidden=hidden)
    return tuple(judge.change(table, old.get(table), new) for table in sorted(old.keys() | judge.fresh(old, new)))


def _parts(recorded: Recorded) -> dict[str, tuple[str, ...]]:
    """Each table with its partitions, or with itself alone."""
    found: dict[str, tuple[str, ...]] = {}
    for table in recorded.rows:
        root = recorded.catalog.partition_root(table)
        found[root] = (*found.get(root, ()), table)
    return found


def _by_table(rows: Mapping[str, RowCount], root: Any) -> dict[str, RowCount]:
    found: dict[str, RowCount] = {}
    for table, count in rows.items():
        top = root(table)
        if name_of(top).name != LEDGER:
            sum_ = found.get(top, RowCount(0, True))
            found[top] = RowCount(sum_.rows + count.rows, sum_.exact and count.exact, sum_.why or count.why)
    return found


class _Judge:
    def __init__(
        self,
        effects: Effects,
        losing: frozenset[Name],
        may_shrink: frozenset[Name],
        habits: Mapping[str, Habit],
        *,
        hidden: bool,
    ) -> None:
        self._effects = effects
        self._hidden = hidden
        self._habits = habits
        self._losing = losing
        self._may_shrink = may_shrink
        self._renamed = set(effects.renamed.values())

    def fresh(self, old: Mapping[str, RowCount], new: Mapping[str, RowCount]) -> set[str]:
        """Tables that are there only now, under no name that was there before."""
        return {table for table in new.keys() - old.keys() if name_of(table) not in self._renamed}

    def change(self, table: str, old: RowCount | None, new: Mapping[str, RowCount]) -> RowChange:
        name = name_of(table)
        renamed = self._effects.renamed.get(name)
        now = next((c for t, c in new.items() if name_of(t) == (renamed or name)), None)
        suffix = f", now {_shown(renamed)}" if renamed and now else ""
        if old is None:
            return RowChange(table, None, now, "ok", "new")
        if now is None:
            return RowChange(table, old, None, *self._gone(name))
        outcome, words = self._compared(name, old, now, self._habits[table])
        return RowChange(table, old, now, outcome, words + suffix)

    def _gone(self, name: Name) -> tuple[Literal["ok", "warn", "fail"], str]:
        if name in self._effects.dropped or name.schema in self._effects.dropped_schemas:
            return "ok", "dropped by a script"
        if self._hidden:
            return "warn", "gone; a script runs code that is not looked into"
        return "fail", "gone, and no script drops it"

    def _compared(
        self, name: Name, old: RowCount, now: RowCount, others: Habit
    ) -> tuple[Literal["ok", "warn", "fail"], str]:
        less = now.rows < old.rows if old.exact and now.exact else now.rows < old.rows * TOLERANCE
        if not less:
            return self._kept(old, now)
        sure = now.exact and (old.exact or now.rows == 0)
        lost = f"{old.rows - now.rows} fewer" if sure and old.exact else f"about {old.rows - now.rows} fewer"
        if name in self._losing or name in self._effects.dropped:
            return "ok", f"{lost}; a script deletes from it, or from what it references"
        if name in self._may_shrink:
            return "ok", f"{lost}; the runbook says that it may shrink"
        if others.covers(old.rows - now.rows):
            return "ok", f"{lost}{others.words}"
        if self._hidden:
            return "warn", f"{lost}; a script runs code that is not looked into"
        if not sure:
            return "warn", f"{lost}, by estimate"
        return "warn" if others.doubtful else "fail", f"{lost}, and no script deletes from it{others.words}"

    def _kept(self, old: RowCount, now: RowCount) -> tuple[Literal["ok", "warn"], str]:
        if old.exact and now.exact:
            return "ok", "same" if now.rows == old.rows else f"{now.rows - old.rows} more"
        why = now.why or old.why
        return ("ok" if why in ("", "large") else "warn"), f"about the same, by estimate{_reason(why)}"


def _reason(why: str) -> str:
    words = {"large": "too large to count", "hidden": "the role may not read all of it", "locked": "it was locked"}
    return f" ({words.get(why, 'counting took too long')})" if why else ""


def _losing(catalog: Snapshot, effects: Effects) -> frozenset[Name]:
    """Tables that scripts delete from, and those that lose rows with them: by a foreign key, or as a partition."""
    all_keys, cascading = [], []
    for key, attributes in catalog.objects.items():
        definition = attributes.get("definition", "")
        if key.startswith("constraint ") and (found := _REFERENCES.search(definition)):
            pair = (name_of(found[1]), name_of(attributes["of"]))
            all_keys.append(pair)
            if "ON DELETE CASCADE" in definition:
                cascading.append(pair)
    emptied = _closure(effects.emptied, all_keys)
    losing = emptied | _closure(effects.reduced | emptied, cascading)
    lost = losing | effects.dropped
    tables = {table: name_of(table) for table in catalog.names("table")}
    return losing | {name_of(catalog.partition_root(table)) for table, name in tables.items() if name in lost}


def _closure(start: frozenset[Name], pairs: Iterable[tuple[Name, Name]]) -> frozenset[Name]:
    found = set(start)
    while more := {child for parent, child in pairs if parent in found} - found:
        found |= more
    return frozenset(found)


def _shown(name: Name) -> str:
    return str(name).removeprefix("public.")
