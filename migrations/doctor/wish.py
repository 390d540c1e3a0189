"""What somebody wants the ledger to say, held against what is there: the rows to write, or why not. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from migrations.doctor import words
from migrations.doctor.facts import Facts
from migrations.doctor.traces import Traces, changes_rows, named
from migrations.folder import Migration, same_checksum
from migrations.ledger import Row
from migrations.ledger.marking import Change, NoteApplied, SetAside, digest
from migrations.problem import Problem

LOOK = "`gonogo status` says how the ledger stands."


@dataclass(frozen=True, slots=True)
class Wish:
    """Names of migrations. `baseline`: every one up to and with it is applied. `one_row`: of several, one is kept."""

    applied: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()
    baseline: str | None = None
    one_row: tuple[str, ...] = ()


def seen(facts: Facts) -> str:
    """What tells whether the ledger and the scripts are still as they were when somebody looked: a SHA-256."""
    scripts = [f"{migration.name}\0{migration.checksum}" for migration in facts.folder or ()]
    return hashlib.sha256("\0".join((digest(facts.rows), *scripts)).encode()).hexdigest()


def changes_for(wish: Wish, facts: Facts) -> tuple[Change, ...]:
    """The rows to write, in order; nothing where the ledger says so already.

    Raises Problem, with Prisma's code where it has one: P3008, P3011, P3012, P3017.
    """
    if facts.provider is not None:
        raise words.other_provider(facts.provider).problem
    twice = [name for name in (*wish.applied, *wish.one_row) if name in wish.rolled_back]
    if twice:
        raise Problem(f"{twice[0]} cannot be both.", advice="Decide whether what it did is to stay.")
    return (
        *(change for name in wish.rolled_back for change in _rolled_back(name, facts)),
        *(change for name in wish.one_row for change in _one_row(name, facts)),
        *(change for name in to_apply(wish, facts) for change in _applied(name, facts)),
    )


def to_apply(wish: Wish, facts: Facts) -> tuple[str, ...]:
    """The names that are to be marked as applied, in the folder's order: those wished, and the baseline's."""
    named = set(wish.applied)
    if wish.baseline is not None:
        names = list(facts.scripts)
        _on_disk(wish.baseline, facts)
        earlier = names[: names.index(wish.baseline) + 1]
        named |= {name for name in earlier if name not in facts.live}
        if open_one := next((name for name in earlier if _is_open(name, facts)), None):
            raise Problem(
                f"{open_one} failed, and comes before {wish.baseline}.",
                advice="Resolve it by itself first: what of it took effect decides.",
                code="P3009",
            )
    unknown = [name for name in wish.applied if name not in facts.scripts]
    return (*(name for name in facts.scripts if name in named), *unknown)


def is_so(wish: Wish, facts: Facts) -> bool:
    """Whether all of it stands in the ledger already, where changes_for() says P3008. Raises Problem as that does."""
    others = changes_for(replace(wish, applied=(), baseline=None), facts)
    return not others and all(name in facts.live and not _is_open(name, facts) for name in to_apply(wish, facts))


def _is_open(name: str, facts: Facts) -> bool:
    return any(row.applied.failed for row in facts.live.get(name, ()))


def _rolled_back(name: str, facts: Facts) -> Iterator[Change]:
    rows = facts.by_name.get(name, [])
    if not rows:
        raise Problem(
            f"{name} was never applied here, so it cannot be marked as rolled back.",
            advice=f"Check the name. {LOOK}",
            code="P3011",
        )
    if all(row.applied.finished_at for row in rows):
        raise Problem(
            f"{name} is not in a failed state: it was applied.",
            advice="Only a failed migration can be marked as rolled back. To undo one that was applied, write another.",
            code="P3012",
        )
    yield from _set_aside(rows)


def _set_aside(rows: list[Row]) -> Iterator[Change]:
    return (SetAside(row.id, row.applied.name) for row in rows if row.applied.failed)


def _applied(name: str, facts: Facts) -> Iterator[Change]:
    migration, rows = _on_disk(name, facts), facts.by_name.get(name, [])
    if any(row.applied.finished_at for row in rows):
        raise Problem(f"{name} is applied already.", advice=f"There is nothing to mark. {LOOK}", code="P3008")
    yield from _set_aside(rows)
    yield NoteApplied(name, migration.checksum)


def _on_disk(name: str, facts: Facts) -> Migration:
    migration = facts.scripts.get(name)
    if migration is None or migration.data is None:
        what = "has no migration.sql" if migration else "is not in the migrations folder"
        raise Problem(
            f"{name} {what}, so it cannot be marked as applied.",
            advice="Check the name: it is that of the folder. The script's SHA-256 goes into the ledger.",
            code="P3017",
        )
    return migration


def _one_row(name: str, facts: Facts) -> Iterator[Change]:
    rows = facts.live.get(name, [])
    if _is_open(name, facts) or len(rows) < 2:
        raise Problem(f"{name} has not more than one row that says it was applied.", advice=LOOK)
    kept = kept_row(rows, facts.scripts.get(name))
    return (SetAside(row.id, name) for row in rows if row is not kept)


def kept_row(rows: list[Row], migration: Migration | None) -> Row:
    """Of several rows of a migration the first whose checksum is that of the script on disk, else the first."""
    text = migration.text if migration is not None and migration.data is not None else None
    fits = (row for row in rows if text is not None and same_checksum(row.applied.checksum, text))
    return next(fits, rows[0])


def objections(wish: Wish, facts: Facts, traces: Mapping[str, Traces]) -> tuple[str, ...]:
    """Why the catalog does not look like what is wished: what is to be reverted, or completed, before the mark."""
    back = (_not_back(name, facts, traces[name]) for name in wish.rolled_back if name in traces)
    done = (
        f"{name} is to be marked as applied, but look: {traces[name].words}. Do the rest first"
        for name in to_apply(wish, facts)
        if name in traces and traces[name].which("not there", "partly")
    )
    return (*filter(None, back), *done)


def _not_back(name: str, facts: Facts, traces: Traces) -> str:
    what = f"{name} is to be marked as rolled back, but"
    if traces.which("there", "partly"):
        return f"{what} look: {traces.words}. Undo that first"
    refused = words.refused(row.applied for row in facts.live.get(name, ()))
    blind = [trace for trace in traces.unseen(refused=refused) if changes_rows(trace.statement)]
    if not blind:
        return ""
    return f"{what} the catalog does not show whether {named(blind)} changed rows. Find that out, and undo it first"
