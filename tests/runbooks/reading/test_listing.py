"""Which sessions are listed, in what order, and with which grade."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from fix_keys import Key, public

from runbooks.history.sessions import Summary, create_folder, list_sessions, state_home
from runbooks.journal import NAME, Journal
from runbooks.reading.listing import Wanted, chosen, since
from runbooks.reading.verifying import Left, proof, verified
from runbooks.signing import AllowedSigners
from runbooks.signing.afterwards import sign_afterwards
from tui.commands.sessions import list_sessions as command

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def session(day: str, environment: str, **over) -> Summary:
    name = f"202602{day}T020304Z-{environment}-7f3a"
    return Summary(name, Path(name), **{"environment": environment, "operator": "ana@example.org"} | over)


GO = session("03", "production", ticket="CHG-1", outcome="go", grade="consistent")
HALT = session("02", "production", ticket="CHG-2", outcome="no_go", waivers=2, grade="open")
STAGED = session("01", "staging", ticket="CHG-1", operator="Ben", running=True)
BROKEN = Summary("20260204T020304Z-staging-0000", Path("x"), fault="it is a link", grade=None)
ALL = (GO, STAGED, BROKEN, HALT)


@pytest.mark.parametrize(
    ("wanted", "listed"),
    [
        (Wanted(), [BROKEN, GO, HALT, STAGED]),
        (Wanted(environment="PROD*"), [GO, HALT]),
        (Wanted(environment="prod"), []),
        (Wanted(ticket="chg-1"), [BROKEN, GO, STAGED]),
        (Wanted(operator="b*"), [BROKEN, STAGED]),
        (Wanted(outcomes=("no_go", "running")), [HALT, STAGED]),
        (Wanted(outcomes=("unreadable",)), [BROKEN]),
        (Wanted(since=datetime(2026, 2, 3, tzinfo=UTC)), [BROKEN, GO]),
    ],
)
def test_what_is_wanted(wanted: Wanted, listed: list[Summary]) -> None:
    assert chosen(ALL, wanted, "opened") == listed


@pytest.mark.parametrize(
    ("sort", "listed"),
    [
        ("environment", [BROKEN, GO, HALT, STAGED]),
        ("ticket", [BROKEN, GO, STAGED, HALT]),
        ("operator", [BROKEN, GO, HALT, STAGED]),
        ("outcome", [GO, HALT, STAGED, BROKEN]),
        ("waivers", [HALT, BROKEN, GO, STAGED]),
        ("grade", [HALT, GO, BROKEN, STAGED]),
    ],
)
def test_in_what_order(sort, listed: list[Summary]) -> None:
    assert chosen(ALL, Wanted(), sort) == listed


def test_since_when() -> None:
    assert since("2026-01-31", NOW) == datetime(2026, 1, 31, tzinfo=UTC)
    assert since("2026-01-31T12:00+02:00", NOW) == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert since("28d", NOW) == datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="'last week' is neither a date"):
        since("last week", NOW)


@pytest.fixture
def kept(clock, events) -> Path:
    """Three sessions: one whole, one altered in the middle though its lines look well, one without a journal."""
    where = state_home()
    for number, name in enumerate(["production", "staging", "staging"]):
        journal = Journal.create(create_folder(where, f"2026013{number}T020304Z-{name}-7f3a"), clock)
        for event in events:
            journal.append(event, sync=False)
        journal.close()
    _, altered, missing = sorted(where.iterdir())
    text = (altered / NAME).read_text().replace("Dump the database", "Dump the databasE", 1)
    (altered / NAME).write_text(text)
    (missing / NAME).unlink()
    return where


def test_a_grade_is_told_when_it_is_asked_for(kept: Path) -> None:
    missing, altered, whole = (verified(session) for session in list_sessions(kept))
    assert [whole.grade, altered.grade, missing.grade] == ["consistent", "broken", None]
    assert altered.fault == "record 0: its hash is not that of its content"
    with pytest.raises(Left):
        verified(whole, lambda: False)


def test_the_command_lists_all_in_columns_and_says_what_is_broken(kept: Path) -> None:
    def listed(*options: str):
        return CliRunner().invoke(command, [*options, "--plain"])

    plain = listed().output.splitlines()
    assert [line.split()[1] for line in plain[2:]] == ["production"] and "cannot be opened" in plain[0]
    assert len({line.index("T020304Z") for line in plain}) == 1
    assert listed("--environment", "production", "--verify").exit_code == 0
    found = listed("--verify", "--json", "--sort", "grade")
    assert found.exit_code == 1
    assert [row["grade"] for row in json.loads(found.output)] == ["broken", "consistent", None]
    assert [row["grade"] for row in json.loads(listed("--json").output)] == [None] * 3
    assert listed("--environment", "x").output == "no sessions\n"


def test_signed_is_what_a_known_person_signed(kept: Path, keys: Key, tmp_path: Path) -> None:
    signers = tmp_path / "signers"
    signers.write_text(f"ana@example.org {public(keys('ana'))}\n")
    whole = list_sessions(kept)[-1]
    sign_afterwards(whole.folder / NAME, keys("ana"))
    known = AllowedSigners.read(signers)
    assert [verified(whole).grade, verified(whole, signers=known).grade] == ["consistent", "signed"]
    assert "Record 24 is signed by ana@example.org" in proof(whole, signers=known).lines[1]
    rows = CliRunner().invoke(command, ["--verify", "--signers", str(signers), "--json"]).output
    assert [row["grade"] for row in json.loads(rows)] == [None, "broken", "signed"]
    next((whole.folder / "signatures").glob("*.txt")).write_text("another text")
    assert "proves nothing" in proof(whole, signers=known).lines[1]
