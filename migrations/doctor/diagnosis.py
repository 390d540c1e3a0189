"""The diagnosis: what is wrong, each anomaly once, the most pressing first. Pure."""

from collections.abc import Callable, Iterator

from migrations.doctor import words
from migrations.doctor.facts import Facts
from migrations.doctor.state import State
from migrations.folder import same_checksum
from migrations.naming import order_key

Look = Callable[[Facts, str], Iterator[State]]


def diagnose(facts: Facts, environment: str = "ENV") -> tuple[State, ...]:
    """Every anomaly. `environment` is what the commands in the advice name. Text in it is as it was read."""
    return tuple(state for look in LOOKS for state in look(facts, environment))


def _provider(facts: Facts, environment: str) -> Iterator[State]:
    if facts.provider is not None:
        yield words.other_provider(facts.provider)


def _contract(facts: Facts, environment: str) -> Iterator[State]:
    if facts.contract:
        yield words.prisma_8()


def _lock(facts: Facts, environment: str) -> Iterator[State]:
    if any(holder.granted for holder in facts.holders):
        yield words.lock_held(facts.holders)


def _ledger(facts: Facts, environment: str) -> Iterator[State]:
    if facts.ledgers:
        read_one = facts.rows is not None
        yield words.elsewhere(facts.ledgers, facts.schema, read_one=read_one, named=facts.schema_named)
    if facts.rows is None and facts.tables:
        yield words.no_baseline(facts.tables, environment)


def _failed(facts: Facts, environment: str) -> Iterator[State]:
    hidden = any(name not in facts.live for name in facts.scripts)
    for name, rows in facts.live.items():
        if open_ones := [row for row in rows if row.applied.failed]:
            yield words.failed(
                [row.applied for row in open_ones],
                session=next((s for row in open_ones if (s := facts.sessions.get(row.id))), ""),
                applied_too=len(open_ones) < len(rows),
                on_disk=facts.scripts.get(name),
                gone=facts.folder is not None and name not in facts.scripts,
                traces=facts.traces.get(name),
                hidden=hidden,
                locked=any(holder.granted for holder in facts.holders),
                environment=environment,
            )


def _without_script(facts: Facts, environment: str) -> Iterator[State]:
    empty = [m.name for m in facts.folder or () if m.data is None]
    pending = tuple(name for name in empty if name not in facts.live)
    applied = tuple(name for name in empty if name in facts.live)
    if pending:
        yield words.without_script(pending, pending=True)
    if applied:
        yield words.without_script(applied, pending=False)


def _changed_by_others(facts: Facts, environment: str) -> Iterator[State]:
    found = []
    for earlier in {one.name: one for one in facts.earlier}.values():
        rows = [row.applied for row in facts.by_name.get(earlier.name, ())]
        same = [r for r in rows if (r.checksum, r.finished_at) == (earlier.checksum, earlier.finished_at)]
        if not any(not row.rolled_back for row in same):
            found.append((earlier, "marked as rolled back" if same else "other than it was" if rows else "gone"))
    if found:
        yield words.changed_by_others(found, environment)


def _edited(facts: Facts, environment: str) -> Iterator[State]:
    finished = {n: rows for n, rows in facts.live.items() if not any(row.applied.failed for row in rows)}
    edited = tuple(
        m.name
        for m in facts.folder or ()
        if m.data is not None
        and m.name in finished
        and not any(same_checksum(row.applied.checksum, m.text) for row in finished[m.name])
    )
    if edited:
        yield words.edited(edited)


def _missing(facts: Facts, environment: str) -> Iterator[State]:
    """In the ledger and not on disk: behind the folder's last one, the folder is old; before it, one was removed."""
    if facts.folder is None:
        return
    last = max((order_key(name) for name in facts.scripts), default=None)
    every = {n: rows for n, rows in facts.live.items() if n not in facts.scripts}
    gone = [name for name, rows in every.items() if not any(row.applied.failed for row in rows)]
    if into := _squash(facts):
        taken = tuple(name for name in gone if all(row.applied.started_at < into[1] for row in every[name]))
        gone = [name for name in gone if name not in taken]
        if taken:
            yield words.squashed(taken, into[0])
    ahead = tuple(name for name in gone if last is None or order_key(name) > last)
    removed = tuple(name for name in gone if name not in ahead)
    if ahead:
        yield words.ahead(ahead)
    if removed:
        squashed = any(name not in facts.live for name in facts.scripts)
        yield words.removed(removed, environment, squashed=squashed)


def _squash(facts: Facts) -> tuple[str, str] | None:
    """The first of the folder, and when, if it was noted as applied and not run: it took the place of others."""
    first = next(iter(facts.scripts), "")
    noted = [
        row.applied.started_at
        for row in facts.live.get(first, ())
        if row.steps == 0 and row.applied.started_at == row.applied.finished_at
    ]
    return (first, noted[-1]) if noted else None


def _duplicates(facts: Facts, environment: str) -> Iterator[State]:
    twice = tuple(
        name for name, rows in facts.live.items() if len(rows) > 1 and not any(row.applied.failed for row in rows)
    )
    if twice:
        yield words.duplicates(twice, environment)


def _rolled_back(facts: Facts, environment: str) -> Iterator[State]:
    again = tuple(name for name in facts.scripts if name in facts.by_name and name not in facts.live)
    if again:
        yield words.rolled_back(again)


def _out_of_order(facts: Facts, environment: str) -> Iterator[State]:
    done = (n for n, rows in facts.live.items() if n in facts.scripts and not any(row.applied.failed for row in rows))
    last = max(map(order_key, done), default=None)
    early = tuple(
        m.name
        for m in facts.folder or ()
        if m.data is not None and m.name not in facts.by_name and last is not None and order_key(m.name) < last
    )
    if early:
        yield words.out_of_order(early)


LOOKS: tuple[Look, ...] = (
    *(_provider, _contract, _lock, _ledger, _failed, _without_script, _changed_by_others),
    *(_edited, _missing, _duplicates, _rolled_back, _out_of_order),
)
