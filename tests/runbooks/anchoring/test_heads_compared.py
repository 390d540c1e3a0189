"""Sessions that a target's register knows, against what lies in the session folder."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrations.own.heads import Kept
from migrations.problem import Misuse
from runbooks.anchoring.heads_compared import Known, compared, heads_of
from runbooks.journal import NAME, read
from tests.runbooks.stdlib_journal import forged
from tui.commands.verify import verify_transcript
from tui.commands.verify_known import holds, known_json, known_line

AT = datetime(2026, 1, 31, 2, 5, tzinfo=UTC)


def kept(folder: Path, *seqs: int, session: str = "") -> list[Kept]:
    hashes = [record.hash for record in read(folder / NAME)]
    return [Kept(session or folder.name, "here", "bastion-2", AT, "go", seq, hashes[seq]) for seq in seqs]


def told(known: Known) -> str:
    assert json.loads(known_json([known]))[0]["why"] in known_line(known)
    return known_line(known).partition(": ")[2]


def test_what_the_register_knows_is_found_here_proven_changed_or_lacking(write, events) -> None:
    anchored, partly, other, dropped = (write(events) for _ in range(4))
    last = len(events) - 1
    known = [*kept(anchored, 3, last), *kept(partly, 3), *kept(other, 3, last), *kept(dropped, 3, 9)]
    raws = [json.loads(line) for line in (other / NAME).read_bytes().splitlines()]
    raws[11]["data"]["reason"] = "approved by the boss"
    (other / NAME).write_bytes(forged(raws))
    (dropped / NAME).unlink()
    found = {one.session: one for one in compared(anchored.parent, known)}
    assert told(found[anchored.name]).startswith("anchored: ")
    assert told(found[partly.name]) == f"consistent: the register proves it up to record 3 of 0 to {last}"
    assert told(found[other.name]).startswith("broken: no record has the head ")
    assert told(found[dropped.name]).startswith("not here: it ran on bastion-2, and its record 9 was noted at 2026-01")
    wanted = {"consistent": [anchored, partly], "anchored": [anchored]}
    for grade, folders in wanted.items():
        assert {name for name, one in found.items() if holds(one, grade)} == {folder.name for folder in folders}
    assert len(heads_of(other.name, known)) == 2


def test_a_file_that_was_altered_does_not_hold(write, events) -> None:
    folder = write(events)
    (folder / "runbook.md").write_text("another one")
    (one,) = compared(folder.parent, kept(folder, len(events) - 1))
    assert not holds(one, "open") and told(one).endswith("altered: runbook.md")


def test_a_name_that_the_register_gives_leads_nowhere_else(write, events, tmp_path) -> None:
    folder = write(events)
    (folder.parent / "sessions").mkdir()
    (one,) = compared(folder.parent / "sessions", kept(folder, 3, session=f"../{folder.name}"))
    assert one.verdict is None


@pytest.mark.parametrize(
    "option", [("--head", "0" * 64), ("--signers", "people"), ("--journal", "x"), ("--at-least", "signed")]
)
def test_what_is_for_one_session_is_refused_for_all_of_them(option: tuple[str, str]) -> None:
    said = CliRunner().invoke(verify_transcript, ["--database", "here", *option]).exception
    assert isinstance(said, Misuse) and option[0] in said.what and "for one session" in said.what
