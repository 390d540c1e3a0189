"""No change of a journal goes unseen, short of rebuilding the chain."""

import hashlib
import json
import os
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rfc8785
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benchmarks.verify import write_journal
from migrations.problem import Misuse
from runbooks.journal import NAME, BadRecord, Journal, check_artefacts, read, records, verify
from runbooks.journal.grade import GRADES, MEANING, reaches
from runbooks.journal.heads import Head, parse_head
from runbooks.journal.records import ZEROS
from runbooks.session.events import StepProgress
from tests.runbooks.stdlib_journal import canonical, forged, sealed

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def small(write, events) -> Path:
    return (
        write(
            [
                events[0].model_copy(update={"runbook": events[0].runbook.model_copy(update={"phases": ()})}),
                *events[3:7],
                events[-1],
            ]
        )
        / NAME
    )


@pytest.fixture
def whole(write, events) -> Path:
    return write(events) / NAME


def graded(path: Path, data: bytes) -> str:
    changed = path.with_name("changed")
    changed.write_bytes(data)
    verdict = verify(changed)
    if verdict.fault and data.endswith(b"\n"):
        with pytest.raises(BadRecord) as bad:
            list(read(changed))
        assert bad.value.fault == verdict.fault
    return verdict.grade


def test_a_whole_journal_is_consistent_and_without_its_end_open(whole) -> None:
    data = whole.read_bytes()
    verdict = verify(whole)
    assert (verdict.grade, verdict.records, verdict.ended, verdict.torn) == (
        "consistent",
        data.count(b"\n"),
        True,
        False,
    )
    assert verdict.head == json.loads(data.splitlines()[-1])["hash"]
    assert forged([json.loads(line) for line in data.splitlines()]) == data, "the forger below must write our bytes"
    ends = [i + 1 for i, byte in enumerate(data) if byte == ord("\n")]
    assert {graded(whole, data[:end]) for end in ends[:-1]} == {"open"}
    assert graded(whole, b"") == "open"


EACH = pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.soak)])


@EACH
def test_every_single_byte_change_is_found(small, step: int) -> None:
    data = small.read_bytes()
    for at in range(0, len(data), step):
        other = (data[at] + 1 + at % 255) % 256
        assert graded(small, data[:at] + bytes([other]) + data[at + 1 :]) != "consistent", at


@RELAXED
@given(st.data())
def test_every_cut_inserted_or_replaced_stretch_is_found(small, data) -> None:
    journal = small.read_bytes()
    start, end = sorted([data.draw(st.integers(0, len(journal))), data.draw(st.integers(0, len(journal)))])
    piece = data.draw(
        st.binary(max_size=40) | st.sampled_from([journal[a:b] for a in (0, start) for b in (start, end)])
    )
    assume(journal[start:end] != piece)
    assert graded(small, journal[:start] + piece + journal[end:]) != "consistent"


@EACH
def test_every_cut_inside_a_line_is_found(small, step: int) -> None:
    data = small.read_bytes()
    for at in range(1, len(data), step):
        if data[at - 1] != ord("\n"):
            (small.with_name("changed")).write_bytes(data[:at])
            verdict = verify(small.with_name("changed"))
            assert verdict.torn and verdict.grade == "open"


def test_lines_removed_swapped_doubled_moved_are_found(whole) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    n = len(lines)
    for i in range(n):
        without = lines[:i] + lines[i + 1 :]
        assert graded(whole, b"".join(without)) == ("open" if i == n - 1 else "broken")
        assert graded(whole, b"".join(lines[: i + 1] + lines[i:])) == "broken"
        for j in range(i + 1, n):
            swapped = [*lines]
            swapped[i], swapped[j] = lines[j], lines[i]
            assert graded(whole, b"".join(swapped)) == "broken"


RECODED = {
    "spaces": lambda raw: json.dumps(raw, ensure_ascii=False, sort_keys=True),
    "key order": lambda raw: json.dumps(raw, ensure_ascii=False, separators=(",", ":")),
    "escaped letters": lambda raw: canonical(raw).decode().replace("kind", "k\\u0069nd"),
    "escaped solidus": lambda raw: canonical(raw).decode().replace("/", "\\/"),
    "trailing space": lambda raw: canonical(raw).decode() + " ",
    "carriage return": lambda raw: canonical(raw).decode() + "\r",
    "byte order mark": lambda raw: "\ufeff" + canonical(raw).decode(),
    "doubled key": lambda raw: canonical(raw).decode().replace('{"at"', '{"at":"x","at"', 1),
    "number as a float": lambda raw: canonical(raw).decode().replace('"attempt":1', '"attempt":1.0'),
    "number with an exponent": lambda raw: canonical(raw).decode().replace('"attempt":1', '"attempt":1e0'),
    "negative zero": lambda raw: canonical(raw).decode().replace('"seq":0', '"seq":-0'),
    "ascii": lambda raw: json.dumps(raw, sort_keys=True, separators=(",", ":")),
}


@pytest.mark.parametrize("how", RECODED)
def test_the_same_json_in_another_form_is_a_bad_record(whole, how) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    changed = 0
    for i, line in enumerate(lines):
        other = (RECODED[how](dict(reversed(json.loads(line).items()))) + "\n").encode()
        if other != line:
            changed += 1
            assert graded(whole, b"".join([*lines[:i], other, *lines[i + 1 :]])) == "broken", how
    assert changed


def _change(raws, at, /, **over):
    raws[at] = {**raws[at], **over}


def _data(raws, at, /, **over):
    raws[at]["data"] = {**raws[at]["data"], **over}


FORGERIES = {
    "an unknown kind": (lambda r: _change(r, 3, kind="phase_closed"), 3, "knows no event"),
    "an unknown key": (lambda r: _data(r, 3, x=1), 3, "phase_opened"),
    "a missing key": (lambda r: r[3]["data"].pop("phase"), 3, "phase_opened"),
    "a wrong type": (lambda r: _data(r, 4, attempt="1"), 4, "step_started"),
    "true for one": (lambda r: _data(r, 4, attempt=True), 4, "step_started"),
    "an unknown outcome": (lambda r: _data(r, 10, outcome="good"), 10, "step_ended"),
    "a kind within the data": (lambda r: _data(r, 3, kind="phase_opened"), 3, "kind of its own"),
    "a float": (lambda r: r[6]["data"]["data"].update(x=0.5), 6, "fraction"),
    "a great integer": (lambda r: r[6]["data"]["data"].update(x=2**53), 6, "2^53"),
    "a lone surrogate": (lambda r: r[6]["data"]["data"].update(x="\ud800"), 6, "not UTF-8"),
    "deep nesting": (lambda r: r[6]["data"]["data"].update(x=json.loads("[" * 80 + "]" * 80)), 6, "levels"),
    "an event after the end": (lambda r: r.append(r[3]), 25, "after the end"),
    "a second end": (lambda r: r.append(r[24]), 25, "after the end"),
    "a second opening": (lambda r: r.insert(2, r[0]), 2, "session_opened"),
    "no opening": (lambda r: r.pop(0), 0, "session_opened"),
    "another format": (lambda r: _data(r, 0, format=2), 0, "another format"),
    "another field": (lambda r: _change(r, 5, x=1), 5, "exactly the fields"),
    "a time without microseconds": (lambda r: _change(r, 5, at="2026-01-31T02:03:04Z"), 5, "its at"),
    "a time of another zone": (lambda r: _change(r, 5, at="2026-01-31T02:03:04.000000+01:00"), 5, "its at"),
    "no such day": (lambda r: _change(r, 5, at="2026-02-31T02:03:04.000000Z"), 5, "its at"),
    "other digits": (lambda r: _change(r, 5, at="٢026-01-31T02:03:04.000000Z"), 5, "its at"),
    "data that is a list": (lambda r: _change(r, 5, data=[]), 5, "not an object"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_rebuilt_chain_still_needs_content_that_holds(whole, what) -> None:
    forge, seq, words = FORGERIES[what]
    raws = [json.loads(line) for line in whole.read_bytes().splitlines()]
    forge(raws)
    path = whole.with_name("forged")
    path.write_bytes(forged(raws))
    fault = verify(path).fault
    assert fault is not None
    assert (fault.seq, fault.line) == (seq, seq + 1)
    assert words in fault.what


def test_a_record_of_another_session_in_its_place_is_found(whole) -> None:
    """Its own hash is right, and its number; only its prev tells."""
    lines = whole.read_bytes().splitlines(keepends=True)
    lines[3] = sealed({**json.loads(lines[3]), "prev": "1" * 64})
    path = whole.with_name("spliced")
    path.write_bytes(b"".join(lines[:4]))
    assert "prev" in verify(path).fault.what


def test_a_record_that_was_left_out_is_found_by_the_numbers_alone(whole) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    lines[3] = sealed({**json.loads(lines[4]), "prev": json.loads(lines[2])["hash"]})
    path = whole.with_name("renumbered")
    path.write_bytes(b"".join(lines[:4]))
    assert "record 4" in verify(path).fault.what


def test_a_rebuilt_chain_with_content_that_holds_is_consistent_and_the_head_tells(whole) -> None:
    """What docs/journal.md says of it: without a head from outside, a forger is not found."""
    raws = [json.loads(line) for line in whole.read_bytes().splitlines()]
    raws[11]["data"]["reason"] = "approved by the boss"
    path = whole.with_name("forged")
    path.write_bytes(forged(raws))
    assert verify(path).grade == "consistent"
    assert verify(path).head != verify(whole).head


@pytest.mark.parametrize("line", [b"[" * 100_000, b"9" * 10_000, b"\xff", b"", b"null", b"{}", b'"\\ud800"'])
def test_a_line_that_is_no_record_is_a_fault_and_never_a_crash(write, events, line) -> None:
    path = write(events[:3]) / NAME
    assert graded(path, path.read_bytes() + line + b"\n") == "broken"


@pytest.mark.parametrize("tail", [b"x", b"\n", b'{"at"', b"\0" * 9])
def test_whatever_stands_after_the_end_is_a_fault(whole, tail) -> None:
    assert graded(whole, whole.read_bytes() + tail) == "broken"


def test_artefacts_are_compared_by_hash_and_absent_is_not_altered(write, events, tmp_path) -> None:
    dump = b"PGDMP"
    kept = events[9].model_copy(
        update={"path": "artefacts/9-dump", "size": len(dump), "sha256": hashlib.sha256(dump).hexdigest()}
    )
    out = kept.model_copy(update={"path": "../secret", "name": "out"})
    unreadable = kept.model_copy(update={"path": "/proc/self/mem", "size": 0})
    folder = write([*events[:9], kept, out, unreadable])
    states = lambda: [(a.seq, a.name, a.state) for a in check_artefacts(folder)]  # noqa: E731
    scripts = [(0, "runbook"), *((2, f"20260301_drop{beside}") for beside in ("", "/rollback.sql", "/verify.sql"))]
    nowhere = [(seq, name, "absent") for seq, name in scripts]
    assert states() == [*nowhere, (9, "dump", "absent"), (10, "out", "altered"), (11, "dump", "altered")]
    (folder / "artefacts").mkdir()
    (folder / kept.path).write_bytes(dump)
    assert states()[4] == (9, "dump", "same")
    (folder / kept.path).write_bytes(b"PGDMQ")
    assert states()[4] == (9, "dump", "altered")
    (folder / kept.path).unlink()
    (folder / kept.path).symlink_to(tmp_path)
    assert states()[4] == (9, "dump", "altered")
    (folder / kept.path).unlink()
    os.mkfifo(folder / kept.path)
    assert states()[4] == (9, "dump", "altered")


def test_the_bytes_of_a_record_are_those_of_rfc_8785(write) -> None:
    """They are written by `json`, which orders names otherwise: of that, only what it does not get to order is left."""

    @settings(deadline=None)
    @given(JSON)
    def same(value) -> None:
        assert records.canonical(value) == rfc8785.dumps(value)

    same()
    assert records.canonical({"\ufb00": 1, "\U0001f600": 2}) == rfc8785.dumps({"\ufb00": 1, "\U0001f600": 2})


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@RELAXED
@given(st.data())
def test_every_other_spelling_of_a_line_is_found_where_it_stands(whole, data) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    text = lines[number].decode()
    at = data.draw(st.integers(0, len(text) - 2))
    inside = len(re.findall(r'(?<!\\)(?:\\\\)*"', text[:at])) % 2
    if inside and text[at] not in '"\\' and text[at - 1] != "\\" and ord(text[at]) < 0x10000:
        other = f"{text[:at]}\\u{ord(text[at]):04x}{text[at + 1 :]}"
    elif not inside and text[at] in ",:{}[]":
        other = text[: at + 1] + data.draw(st.sampled_from([" ", "\t", "\r"])) + text[at + 1 :]
    else:
        assume(False)
        raise AssertionError
    assume(other != text)
    try:
        assert json.loads(other) == json.loads(text)
    except ValueError:  # it was within an escape
        assume(False)
    changed = whole.with_name("respelt")
    changed.write_bytes(b"".join([*lines[:number], other.encode(), *lines[number + 1 :]]))
    fault = verify(changed).fault
    assert fault is not None
    assert (fault.seq, fault.line, fault.offset) == (number, number + 1, len(b"".join(lines[:number])))
    assert "canonical" in fault.what


def heads_of(path: Path) -> list[str]:
    return [record.hash for record in read(path)]


def test_a_head_from_outside_proves_what_stands_before_it_and_never_more(whole) -> None:
    hashes, last = heads_of(whole), len(heads_of(whole)) - 1
    at_end, early = verify(whole, [Head(hashes[-1])]), verify(whole, [Head(hashes[7], 7)])
    assert (at_end.grade, at_end.reached) == ("anchored", last)
    assert (early.grade, early.reached) == ("consistent", 7)
    assert verify(whole, [Head(hashes[7]), Head(hashes[-1], last)]).grade == "anchored"
    for stranger in (Head("1" * 64), Head(hashes[7], 8), Head(ZEROS)):
        verdict = verify(whole, [Head(hashes[-1]), stranger])
        assert (verdict.grade, verdict.strangers) == ("broken", (stranger,))


def test_a_head_shows_a_cut_tail_and_a_chain_made_anew(whole) -> None:
    hashes, lines = heads_of(whole), whole.read_bytes().splitlines(keepends=True)
    cut = whole.with_name("cut")
    cut.write_bytes(b"".join(lines[:9]))
    assert verify(cut, [Head(hashes[-1])]).grade == "broken"
    reached = verify(cut, [Head(hashes[8])])
    assert (reached.grade, reached.reached) == ("open", 8), "that nothing came after it, no head can say"
    raws = [json.loads(line) for line in lines]
    raws[11]["data"]["reason"] = "approved by the boss"
    cut.write_bytes(forged(raws))
    assert verify(cut, [Head(hashes[10])]).grade == "consistent"
    assert verify(cut, [Head(hashes[11])]).grade == "broken"


@pytest.mark.parametrize("text", ["", "ab", "ab" * 31 + "a", "g" * 64, ":" + "a" * 64, "x:" + "a" * 64, "a" * 65])
def test_a_part_of_a_head_is_refused(text) -> None:
    with pytest.raises(Misuse, match="head"):
        parse_head(text)


def test_a_head_is_read_as_it_is_printed() -> None:
    for head in (Head("ab" * 32), Head("ab" * 32, 187)):
        assert parse_head(f" {str(head).upper()}\n") == head


def test_a_grade_reaches_what_it_holds() -> None:
    assert [reaches("consistent", least) for least in GRADES] == [True, True, True, False, False]
    assert set(MEANING) == set(GRADES)


def test_times_are_measured_against_the_servers_clock(tmp_path, events) -> None:
    """A machine that is 3 s behind, then set an hour back."""
    hour, opened = 3_600_000_000, datetime(2026, 1, 31, 2, 0, 0, tzinfo=UTC)
    readings = [(0, 3_000_000), (60, 3_000_000), (-3540, 3_000_000 + hour)]
    journal = Journal.create(tmp_path / "s", lambda: moments.pop(0))
    moments = [opened, *(opened + timedelta(seconds=at) for at, _ in readings)]
    journal.append(events[0], sync=False)
    for _, ahead in readings:
        clock = {"ahead": ahead, "within": 500}
        journal.append(StepProgress(step="anchor", attempt=1, data={"clock": clock}), sync=False)
    journal.close()
    found = verify(tmp_path / "s" / NAME).clocks
    assert (found.steps_back, found.back, found.back_at) == (1, hour, 3)
    assert (found.readings, found.ahead and found.ahead.ahead, found.ahead_at) == (3, 3_000_000 + hour, 3)
    assert (found.shift, found.shift_at) == (-hour, 3)


@pytest.mark.soak
def test_a_long_journal_takes_no_more_memory_than_a_short_one(tmp_path) -> None:
    peaks = []
    for count in (2_000, 40_000):
        write_journal(tmp_path / "journal", count)
        tracemalloc.start()
        assert verify(tmp_path / "journal", [Head("1" * 64)]).records == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000, peaks
