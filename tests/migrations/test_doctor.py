"""The diagnosis: any folder and any rows give one, and each anomaly is named once."""

import hashlib
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from migrations.doctor import Earlier, Facts, State, diagnose
from migrations.doctor.wish import Wish, changes_for, to_apply
from migrations.folder import Migration
from migrations.ledger import Row
from migrations.ledger.marking import Change, NoteApplied, SetAside
from migrations.plan import Applied
from migrations.problem import Problem

NAMES = ("1_a", "2_b", "3_c", "10_d")
TEXTS = ("SELECT 1;\n", "SELECT 2;\r\n")


def migration(name: str, text: str | None = TEXTS[0]) -> Migration:
    return Migration(name, Path(name), None if text is None else text.encode())


def checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def row(name: str, state: str = "applied", text: str = TEXTS[0], *, id: str = "", logs: str | None = None) -> Row:
    at = "2026-01-01T00:00:00.000000Z"
    applied = Applied(
        name, checksum(text), state == "failed", state == "rolled back", at, at if state == "applied" else None, logs
    )
    return Row(id or name, 1, applied)


def named(states: tuple[State, ...]) -> dict[str, tuple[str, ...]]:
    return {state.name: state.migrations for state in states}


migrations = st.builds(migration, st.sampled_from(NAMES), st.sampled_from((*TEXTS, None)))
folders = st.lists(migrations, unique_by=lambda m: m.name).map(
    lambda f: tuple(sorted(f, key=lambda m: NAMES.index(m.name)))
)
rows = st.builds(
    row,
    st.sampled_from((*NAMES, "0_gone", "9_new")),
    st.sampled_from(("applied", "failed", "rolled back")),
    st.sampled_from(TEXTS),
    logs=st.sampled_from((None, "", "ERROR: no", "said something")),
)
earlier = st.builds(Earlier, st.sampled_from(NAMES), st.sampled_from([checksum(t) for t in TEXTS]), st.just("then"))


@given(st.none() | folders, st.none() | st.lists(rows, max_size=6), st.lists(earlier, max_size=2))
def test_any_folder_and_any_rows_have_a_diagnosis_that_names_each_anomaly_once(
    folder: tuple[Migration, ...] | None, found: list[Row] | None, before: list[Earlier]
) -> None:
    facts = Facts(folder=folder, rows=None if found is None else tuple(found), tables=1, earlier=tuple(before))
    states = diagnose(facts)
    assert all(state.what and state.cause and all(way.steps for way in state.ways) for state in states)
    told = Counter((state.name, name) for state in states for name in state.migrations)
    assert set(told.values()) <= {1}
    expected = set[tuple[str, str]]()
    on_disk = {m.name: m for m in folder or ()}
    for name in {r.applied.name for r in found or ()} | set(on_disk):
        same = [r.applied for r in found or () if r.applied.name == name and not r.applied.rolled_back]
        again = not same and any(r.applied.name == name for r in found or ())
        failed = any(r.failed for r in same)
        expected |= {("failed", name)} if failed else set()
        expected |= {("duplicate", name)} if len(same) > 1 and not failed else set()
        expected |= {("missing", name)} if same and not failed and folder is not None and name not in on_disk else set()
        if name in on_disk:
            sums = {checksum(form) for form in _forms(on_disk[name])}
            edited = on_disk[name].data is not None and same and not failed
            expected |= {("edited", name)} if edited and not sums & {r.checksum for r in same} else set()
            expected |= {("without-script", name)} if on_disk[name].data is None else set()
            expected |= {("rolled-back", name)} if again else set()
    alike = {"cut-short": "failed", "ahead": "missing", "removed": "missing"}
    ledger_only = {
        (alike.get(state, state), name) for state, name in told if state not in ("changed-by-others", "out-of-order")
    }
    assert ledger_only == expected


def _forms(one: Migration) -> tuple[str, ...]:
    return one.text, one.text.replace("\r\n", "\n"), one.text.replace("\n", "\r\n")


names = st.sampled_from((*NAMES, "0_gone"))
wishes = st.builds(
    Wish,
    applied=st.lists(names, max_size=2, unique=True).map(tuple),
    rolled_back=st.lists(names, max_size=2, unique=True).map(tuple),
    baseline=st.none() | names,
    one_row=st.lists(names, max_size=1).map(tuple),
)


@given(folders, st.none() | st.lists(rows, max_size=6), wishes)
def test_a_wish_is_refused_or_comes_true_and_then_asks_for_nothing_more(
    folder: tuple[Migration, ...], found: list[Row] | None, wish: Wish
) -> None:
    ids = tuple(replace(row, id=str(n)) for n, row in enumerate(found or ()))
    facts = Facts(folder=folder, rows=None if found is None else ids)
    try:
        changes = changes_for(wish, facts)
    except Problem as problem:
        assert problem.what and problem.advice
        return
    after = Facts(folder=folder, rows=carried_out(ids, changes, facts))
    assert all(change.name in wished(wish, facts) for change in changes)
    for name in (*wish.applied, *([wish.baseline] if wish.baseline else [])):
        assert [row.applied.failed for row in after.live[name]].count(True) == 0
    for name in wish.rolled_back:
        assert not any(row.applied.failed for row in after.live.get(name, ()))
    for name in wish.one_row:
        assert len(after.live[name]) == 1
    untouched = {row.id for row in ids} - {change.row for change in changes if isinstance(change, SetAside)}
    assert untouched <= {row.id for row in after.rows or () if row in ids}
    assert changes_for(Wish(rolled_back=wish.rolled_back, baseline=wish.baseline), after) == ()


def wished(wish: Wish, facts: Facts) -> set[str]:
    return {*wish.rolled_back, *wish.one_row, *to_apply(wish, facts)}


def carried_out(before: tuple[Row, ...], changes: tuple[Change, ...], facts: Facts) -> tuple[Row, ...]:
    """The rows after the changes, without a database."""
    aside = {change.row for change in changes if isinstance(change, SetAside)}
    kept = [
        replace(r, applied=replace(r.applied, rolled_back=True, failed=False)) if r.id in aside else r for r in before
    ]
    noted = [change for change in changes if isinstance(change, NoteApplied)]
    texts = {change.name: facts.scripts[change.name].text for change in noted}
    return (*kept, *(row(name, text=text, id=f"new-{name}") for name, text in texts.items()))


def test_names_are_quoted_in_commands_to_paste() -> None:
    odd, where = "1_a; rm -rf $HOME", "our shop"
    left = Facts((), (row(odd, "failed"),))
    twice = Facts((), (row(odd), row(odd, id="x")))
    advice = [state.advice for facts in (left, twice) for state in diagnose(facts, where)]
    pasted = [shlex.split(line) for text in advice for line in text.split(": ") if line.startswith("gonogo ")]
    assert [words[:3] for words in pasted] == [["gonogo", "resolve", where]] * 2
    assert [words[-1] for words in pasted] == [odd] * 2
