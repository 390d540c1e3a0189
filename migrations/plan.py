"""What is applied, held against what is on disk."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from migrations.folder import Migration, same_checksum
from migrations.problem import Misuse


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of the ledger. Times are RFC 3339 UTC. `failed`: neither finished nor rolled back."""

    name: str
    checksum: str
    failed: bool
    rolled_back: bool
    started_at: str
    finished_at: str | None
    logs: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Names in Prisma's order; `missing` and `failed` in the ledger's. Only `pending` would be run.

    `changed`: edited after they were applied. `missing`: in the ledger, not on disk. `without_script`: on disk,
    applied or not, with no migration.sql (P3015). A migration that was rolled back is pending again.
    """

    pending: tuple[Migration, ...] = ()
    held_back: tuple[Migration, ...] = ()
    applied: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    without_script: tuple[str, ...] = ()


def compare(folder: Sequence[Migration], ledger: Sequence[Applied], *, to: str | None = None) -> Plan:
    """What is pending, in the folder's order, up to and with `to`; what comes after it is held back.

    Raises Misuse if no migration on disk is called `to`.
    """
    rows: dict[str, list[Applied]] = {}
    for row in ledger:
        if not row.rolled_back:
            rows.setdefault(row.name, []).append(row)
    names = [migration.name for migration in folder]
    cut = _cut(names, to)
    open_ones = [(place, migration) for place, migration in enumerate(folder) if migration.name not in rows]
    return Plan(
        pending=tuple(migration for place, migration in open_ones if place < cut),
        held_back=tuple(migration for place, migration in open_ones if place >= cut),
        applied=tuple(name for name in names if name in rows and not _any_failed(rows[name])),
        changed=tuple(m.name for m in folder if m.name in rows and _edited(m, rows[m.name])),
        missing=tuple(name for name in rows if name not in set(names)),
        failed=tuple(name for name, same in rows.items() if _any_failed(same)),
        without_script=tuple(migration.name for migration in folder if migration.data is None),
    )


def _cut(names: Sequence[str], to: str | None) -> int:
    if to is None:
        return len(names)
    if to in names:
        return names.index(to) + 1
    near = difflib.get_close_matches(to, names, n=1)
    raise Misuse(
        f"There is no migration {to}.", advice=f"Did you mean {near[0]}?" if near else "Name one that is on disk."
    )


def _any_failed(rows: Sequence[Applied]) -> bool:
    return any(row.failed for row in rows)


def _edited(migration: Migration, rows: Sequence[Applied]) -> bool:
    if migration.data is None:
        return False
    return not any(same_checksum(row.checksum, migration.text) for row in rows)
