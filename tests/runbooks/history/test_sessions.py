"""The sessions of a machine: named, listed, found again; and places that cannot hold them."""

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from migrations.problem import Misuse, Problem, Unavailable
from runbooks.history.sessions import (
    create_folder,
    dumps_folder,
    find,
    folders,
    list_sessions,
    new_session_id,
    sessions_root,
    state_home,
)
from runbooks.journal import NAME, Journal
from runbooks.settings.project import Project

NOBODY = 65534
IDS = [f"2026013{n}T020304Z-{name}-{n}f3a" for n, name in enumerate(["production", "staging", "production"], 1)]


@pytest.fixture
def root(tmp_path, clock, events) -> Path:
    """Three sessions: production (ended), staging (open), production (open, its last line torn)."""
    for name in IDS:
        journal = Journal.create(create_folder(tmp_path / "state" / "sessions", name), clock)
        for event in events if name == IDS[0] else events[:12]:
            over = {"session": name, "environment": name.split("-")[1]} if event.kind == "session_opened" else {}
            journal.append(event.model_copy(update=over), sync=False)
        journal.close()
    with (journal.folder / NAME).open("ab") as file:
        file.write(b'{"at":')
    return tmp_path / "state" / "sessions"


def test_where_sessions_and_dumps_lie(tmp_path) -> None:
    assert state_home({"XDG_STATE_HOME": "/x"}) == Path("/x/gonogo/sessions")
    home = Path.home() / ".local/state/gonogo/sessions"
    assert state_home({}) == state_home({"XDG_STATE_HOME": "relative"}) == home
    project = Project(name="p", folder=tmp_path, sha256="", migrations=Path("m"), environments={})
    assert sessions_root(project, {}) == home
    assert dumps_folder(project, {"XDG_STATE_HOME": "/x"}) == Path("/x/gonogo/dumps")
    moved = replace(project, sessions=Path("s"), dumps=Path("/d"))
    assert (sessions_root(moved), dumps_folder(moved)) == (tmp_path / "s", Path("/d"))


def test_ids_are_of_utc_and_fit_a_file_name() -> None:
    east = datetime(2026, 1, 31, 4, 3, 4, tzinfo=timezone(timedelta(hours=2)))
    assert new_session_id(east, "staging", lambda n: b"\x7f\x3a") == "20260131T020304Z-staging-7f3a"
    assert new_session_id(east, "../ö x", lambda n: b"\0\0") == "20260131T020304Z-.._x-0000"
    assert len({new_session_id(datetime.now(UTC), "e") for _ in range(20)}) > 1


def test_what_was_called_not_applicable_is_counted_apart_from_waivers(root) -> None:
    counts = {session.id: (session.waivers, session.not_applicable) for session in list_sessions(root)}
    assert counts == {IDS[0]: (1, 1), IDS[1]: (1, 0), IDS[2]: (1, 0)}


def test_folders_are_ours_alone_whatever_the_umask(tmp_path) -> None:
    before = os.umask(0)
    try:
        folder = create_folder(tmp_path / "a" / "b", IDS[0])
    finally:
        os.umask(before)
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "a", tmp_path / "a" / "b", folder)} == {0o700}
    with pytest.raises(Problem, match="there already"):
        create_folder(tmp_path / "a" / "b", IDS[0])


def test_a_link_in_place_of_the_sessions_is_refused(tmp_path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(Unavailable, match="is a link"):
        create_folder(tmp_path / "link", IDS[0])
    assert not list((tmp_path / "real").iterdir())


def test_a_file_in_place_of_the_sessions_is_refused(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="cannot be used for sessions"):
        create_folder(tmp_path / "file" / "sessions", IDS[0])


@pytest.fixture
def ordinary() -> Iterator[Path]:
    """A folder of an account that is not root's, which the test runs as: root writes everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0:
            yield Path(folder)
            return
        os.chown(folder, NOBODY, -1)
        os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)


def test_a_read_only_place_is_refused(ordinary) -> None:
    (ordinary / "ro").mkdir(mode=0o500)
    with pytest.raises(Unavailable, match="Permission denied"):
        create_folder(ordinary / "ro" / "sessions", IDS[0])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another account")
def test_a_place_of_another_account_is_refused(tmp_path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, -1)
    with pytest.raises(Unavailable, match="another account"):
        create_folder(tmp_path / "theirs", IDS[0])


def test_sessions_are_listed_newest_first(root) -> None:
    third, second, first = list_sessions(root)
    assert [s.id for s in (third, second, first)] == IDS[::-1]
    assert (first.environment, first.ticket, first.operator) == ("production", "CHG-4821", "ana@example.org")
    assert (first.outcome, first.exit_code, first.waivers, first.records) == ("no_go", 1, 1, 25)
    assert (second.outcome, second.exit_code, second.records, second.unfinished) == (None, None, 12, True)
    assert (third.records, third.fault, third.running, third.opened_at[:4]) == (12, "", False, "2026")
    assert list_sessions(root / "nowhere") == []


def test_what_cannot_be_read_is_listed_with_its_fault(root, tmp_path) -> None:
    journals = [root / name / NAME for name in IDS]
    journals[0].write_bytes(journals[0].read_bytes().replace(b'"seq":7}', b'"seq":8}'))
    journals[1].unlink()
    journals[2].write_bytes(b"")
    (root / "20260201T000000Z-link-7f3a").symlink_to(tmp_path)
    (root / "notes.txt").touch()
    link, empty, missing, changed = list_sessions(root)
    assert "cannot be opened" in link.fault
    assert "No such file" in missing.fault
    assert "first record" in empty.fault
    assert (changed.fault, changed.records, changed.outcome) == ("record 7 does not hold", 7, None)
    assert not any(s.unfinished for s in (link, empty, missing, changed))


def test_a_session_is_running_while_its_journal_is_held(root, clock) -> None:
    journal, _, _ = Journal.reopen(root / IDS[1], clock)
    assert [s.running for s in list_sessions(root)] == [False, True, False]
    journal.close()
    assert not any(s.running for s in list_sessions(root))
    Journal.reopen(root / IDS[1], clock)[0].close()  # looking took no lock that stays


def test_sessions_are_found_by_the_ends_of_their_names(root) -> None:
    assert find(root) == root / IDS[2]
    assert find(root, IDS[0]) == find(root, "20260131") == find(root, "1f3a") == root / IDS[0]
    with pytest.raises(Misuse, match="3 sessions match 2026"):
        find(root, "2026")
    with pytest.raises(Misuse, match="No session"):
        find(root, "x")
    with pytest.raises(Misuse, match="No unfinished session"):
        find(root / "nowhere")


def test_the_sessions_of_an_environment_are_found_by_their_names_alone(root) -> None:
    (root / IDS[0] / NAME).unlink()
    assert list(folders(root, "production")) == [root / IDS[2], root / IDS[0]]
    assert list(folders(root, "staging")) == [root / IDS[1]]
    assert list(folders(root, "prod")) == list(folders(root / "nowhere", "production")) == []
    for environment in ("a-b", "b", "ö x", "x" * 50):
        name = new_session_id(datetime.now(UTC), environment)
        create_folder(root, name)
        assert list(folders(root, environment)) == [root / name]
