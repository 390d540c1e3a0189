"""The journal on disk: who may open it, what is refused, what a crash or a full disk leaves."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from migrations.problem import Problem, Unavailable
from runbooks.journal import NAME, BadRecord, Journal, encode, read, verify
from runbooks.journal.records import KINDS, ZEROS
from runbooks.session import events as e
from tests.runbooks.stdlib_journal import forged


def test_what_was_written_is_read_back_with_its_chain(write, events) -> None:
    folder = write(events)
    records = list(read(folder / NAME))
    assert [r.event for r in records] == events
    assert {event.kind for event in events} == set(KINDS), "the sample session lacks a kind"
    assert [r.prev for r in records] == [ZEROS, *(r.hash for r in records[:-1])]
    assert records[0].at == "2026-01-31T02:03:05.123456Z"
    assert list(read(folder / NAME, from_seq=20)) == records[20:]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


def test_the_bytes_are_those_of_rfc_8785_by_hand() -> None:
    event = e.StepProgress(
        step="s", attempt=2, data={"\ufb00": 'é\x1f"\\/\x7f\u2028', "\U0001f600": None, "a": [-1, True]}
    )
    line, digest = encode(7, "2026-01-31T02:03:04.123456Z", event, "0" * 64)
    # U+1F600 sorts before U+FB00: RFC 8785 orders by UTF-16 code units.
    data = '{"attempt":2,"data":{"a":[-1,true],"\U0001f600":null,"\ufb00":"é\\u001f\\"\\\\/\x7f\u2028"},"step":"s"}'
    head, tail = (
        '{"at":"2026-01-31T02:03:04.123456Z","data":' + data + ",",
        f'"kind":"step_progress","prev":"{ZEROS}","seq":7}}',
    )
    assert digest == hashlib.sha256((head + tail).encode()).hexdigest()
    assert line.decode() == f'{head}"hash":"{digest}",{tail}\n'


@pytest.mark.parametrize("value", [1.5, 1.0, float("nan"), 2**53, -(2**53)])
def test_numbers_that_json_readers_disagree_about_are_refused(value) -> None:
    with pytest.raises(ValueError, match="step_progress cannot be recorded"):
        encode(0, "x", e.StepProgress(step="s", attempt=1, data={"a": [{"b": value}]}), ZEROS)


def test_nesting_is_bounded() -> None:
    deep: list[object] = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(ValueError, match="levels deep"):
        encode(0, "x", e.StepProgress(step="s", attempt=1, data={"a": deep}), ZEROS)


def test_lone_surrogates_become_replacement_characters_in_the_record_too(tmp_path, clock, events) -> None:
    journal = Journal.create(tmp_path / "s", clock)
    journal.append(events[0].model_copy(update={"ticket": "CHG\ud800"}), sync=True)
    record = journal.append(e.StepOutput(step="s", attempt=1, stream="out", text="a\udcffb"), sync=True)
    journal.close()
    assert record.event.text == "a\ufffdb"
    assert list(read(journal.folder / NAME))[1] == record


def test_a_clock_that_steps_back_is_recorded_as_it_is_and_counted(write, clock, events) -> None:
    moments = iter([clock(), clock(), clock.now.replace(year=2025), clock()])
    journal = Journal.create(write(events).parent / "s", lambda: next(moments))
    for event in (events[0], *events[3:6]):
        journal.append(event, sync=False)
    journal.close()
    assert [r.at[:4] for r in read(journal.folder / NAME)] == ["2026", "2026", "2025", "2026"]
    assert verify(journal.folder / NAME).clocks.steps_back == 1


def test_nothing_follows_the_end_and_nothing_precedes_the_opening(tmp_path, clock, events) -> None:
    journal = Journal.create(tmp_path / "s", clock)
    with pytest.raises(ValueError, match="first record"):
        journal.append(events[1], sync=False)
    journal.append(events[0], sync=False)
    journal.append(events[-1], sync=False)
    with pytest.raises(ValueError, match="after session_ended"):
        journal.append(events[1], sync=False)
    journal.close()
    assert verify(journal.folder / NAME).grade == "consistent"


def test_a_torn_last_line_is_set_aside_and_noted(write, clock, events) -> None:
    folder = write(events[:5])
    whole = (folder / NAME).read_bytes()
    torn = encode(5, "2026-01-31T02:03:04.123456Z", events[5], "0" * 64)[0][:-1]
    (folder / NAME).write_bytes(whole + torn)
    assert [r.event for r in read(folder / NAME)] == events[:5]
    journal, records, repaired = Journal.reopen(folder, clock)
    assert [r.event for r in records] == events[:5]
    assert repaired == e.JournalRepaired(file="journal.torn-1", size=len(torn), sha256=hashlib.sha256(torn).hexdigest())
    assert (folder / "journal.torn-1").read_bytes() == torn
    assert stat.S_IMODE((folder / "journal.torn-1").stat().st_mode) == 0o600
    assert (folder / NAME).read_bytes() == whole
    journal.close()  # died before the repair was recorded: it is told again, until it is
    journal, _, again = Journal.reopen(folder, clock)
    assert again == repaired
    assert journal.append(again, sync=True).seq == 5
    journal.close()
    journal, records, nothing = Journal.reopen(folder, clock)
    journal.close()
    assert nothing is None
    assert records[-1].event == repaired
    assert verify(folder / NAME).grade == "open"


def test_damage_before_the_last_line_is_not_repaired(write, clock, events) -> None:
    folder = write(events)
    lines = (folder / NAME).read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"backup", b"deploy")
    (folder / NAME).write_bytes(b"".join(lines))
    with pytest.raises(BadRecord, match=r"Record 3 of the journal \(line 4\)"):
        Journal.reopen(folder, clock)
    assert (folder / NAME).read_bytes() == b"".join(lines)


def test_a_second_runner_is_refused_until_the_first_lets_go(write, clock, events) -> None:
    folder = write(events[:3])
    first, _, _ = Journal.reopen(folder, clock)
    with pytest.raises(Problem, match=f"Another gonogo holds the session {folder.name}"):
        Journal.reopen(folder, clock)
    first.close()
    Journal.reopen(folder, clock)[0].close()


def test_a_session_in_use_is_not_begun_again(write, clock, events) -> None:
    folder = write(events)
    before = (folder / NAME).read_bytes()
    with pytest.raises(Problem, match="there already"):
        Journal.create(folder, clock)
    assert (folder / NAME).read_bytes() == before


@pytest.mark.parametrize("what", ["folder", "journal"])
def test_links_are_not_followed(write, clock, events, tmp_path, what) -> None:
    folder = write(events)
    if what == "folder":
        (tmp_path / "link").symlink_to(folder)
        folder = tmp_path / "link"
    else:
        (folder / NAME).rename(tmp_path / "elsewhere")
        (folder / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="is a link"):
        Journal.reopen(folder, clock)
    with pytest.raises(Problem):
        Journal.create(folder, clock)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
@pytest.mark.parametrize("what", [".", NAME])
def test_another_owners_session_is_refused(write, clock, events, what) -> None:
    folder = write(events)
    os.chown(folder / what, 12345, -1)
    with pytest.raises(Unavailable, match="another account"):
        Journal.reopen(folder, clock)


def test_a_session_that_others_can_write_is_refused(write, clock, events) -> None:
    folder = write(events)
    (folder / NAME).chmod(0o620)
    with pytest.raises(Unavailable, match="written by others"):
        Journal.reopen(folder, clock)


def test_what_is_not_a_file_does_not_hang(tmp_path, clock) -> None:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o700)
    os.mkfifo(folder / NAME)
    for act in (
        lambda: Journal.reopen(folder, clock),
        lambda: verify(folder / NAME),
        lambda: list(read(folder / NAME)),
    ):
        with pytest.raises(Unavailable, match="is not a file"):
            act()


FULL = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from runbooks.session.events import EVENT, StepOutput
from runbooks.journal import NAME, Journal, JournalBroken, verify
folder = Path(sys.argv[1]) / "s"
now = lambda: datetime.now(UTC)
journal = Journal.create(folder, now)
journal.append(EVENT.validate_json(sys.stdin.read()), sync=True)
output = StepOutput(step="s", attempt=1, stream="out", text="x" * 40_000)
written = 1
try:
    while True:
        journal.append(output, sync=True)
        written += 1
except JournalBroken as broken:
    print(broken.exit_code, broken)
try:
    journal.append(StepOutput(step="s", attempt=1, stream="out", text=""), sync=False)
except JournalBroken as again:
    print(again)
journal.close()
(Path(sys.argv[1]) / "filler").unlink()
verdict = verify(folder / NAME)
journal, records, repaired = Journal.reopen(folder, now)
print(verdict.grade, verdict.torn, len(records) - written, repaired is not None)
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare: a full disk cannot be made")
def test_a_full_disk_breaks_the_journal_for_good_and_leaves_what_was_written(tmp_path, events) -> None:
    script = (
        f"mount -t tmpfs -o size=1m none {tmp_path} && dd if=/dev/zero of={tmp_path}/filler bs=100k count=5 status=none"
    )
    script += f' && exec "{sys.executable}" -c "$CODE" {tmp_path}'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script],
        input=events[0].model_dump_json(),
        capture_output=True,
        text=True,
        env={**os.environ, "CODE": FULL, "PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
    )
    if done.returncode != 0 and "unshare" in done.stderr:
        pytest.skip(f"no user namespaces here: {done.stderr.strip()}")
    first, second, third = done.stdout.splitlines()
    assert first.startswith("3 The journal in") and "No space left on device" in first
    assert "stopped at record" in second
    assert third == "open True 0 True", done.stderr


def test_events_of_an_older_gonogo_without_a_newer_field_still_hold(write, events) -> None:
    """Optional fields are added in time; the canonical bytes are those of what was written."""
    raw = json.loads(encode(0, "2026-01-31T02:03:04.123456Z", events[0], ZEROS)[0])
    del raw["data"]["answers"], raw["hash"]
    folder = write(events)
    (folder / NAME).write_bytes(forged([raw]))
    assert verify(folder / NAME).records == 1
