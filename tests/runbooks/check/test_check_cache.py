"""Kept verdicts: the same as fresh ones, closed to others, and never a reason to fail."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbooks.check import cache as caching
from runbooks.check import judging, reading
from runbooks.check.cache import Cache
from runbooks.check.reading import verdict_of
from runbooks.check.verdict import Verdict

SCRIPTS = (
    'ALTER TABLE "orders" DROP COLUMN note;\nCREATE INDEX i ON orders (a);\n',
    "SELECT 1;\nDO $$ BEGIN EXECUTE f(); END $$;\n",
    "CREATE TABEL x;",
    "CREATE TABLE x (a int);\n-- gonogo: allow column-drop because 'é'\nALTER TABLE y ADD COLUMN b int, DROP COLUMN c;",
    "",
)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def kept(home: Mapping[str, str]) -> list[Path]:
    return [path for path in Path(home["XDG_CACHE_HOME"]).rglob("*") if path.is_file()]


@pytest.mark.parametrize("text", SCRIPTS)
def test_a_kept_verdict_is_the_fresh_one(home: dict[str, str], text: str) -> None:
    verdict = verdict_of(text)
    Cache(home).put({sha256(text): verdict})
    assert Cache(home).get(sha256(text)) == verdict


def test_files_are_closed_to_others_and_their_folders_too(home: dict[str, str]) -> None:
    old = os.umask(0)
    try:
        Cache(home).put({sha256("x"): verdict_of("SELECT 1;")})
    finally:
        os.umask(old)
    (file,) = kept(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in file.parents[:2]} == {0o700}


def test_another_judge_and_other_wishes_have_verdicts_of_their_own(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = sha256("x")
    Cache(home).put({name: Verdict((1,))})
    assert Cache(home, ["no-lock-timeout"]).get(name) is None
    monkeypatch.setattr(caching, "judge_hash", lambda: "another")
    assert Cache(home).get(name) is None


def _flip(path: Path) -> None:
    data = path.read_bytes()
    assert b'"lines":[1]' in data
    path.write_bytes(data.replace(b'"lines":[1]', b'"lines":[2]'))


def _link(path: Path) -> None:
    elsewhere = path.parents[3] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _signed(path: Path, body: object) -> None:
    text = json.dumps(body).encode()
    path.write_bytes(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


@pytest.mark.parametrize(
    "harm",
    [
        _flip,
        _link,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: _signed(path, []),
        lambda path: _signed(path, {"lines": 3}),
        lambda path: _signed(path, {"lines": [1], "findings": [{"x": 1}], "unread": [], "makes": []}),
        lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path)),
    ],
)
def test_a_file_that_is_not_what_was_kept_counts_as_none(home: dict[str, str], harm: Callable[[Path], object]) -> None:
    name = sha256("x")
    Cache(home).put({name: verdict_of("SELECT 1;")})
    harm(kept(home)[0])
    assert Cache(home).get(name) is None
    Cache(home).put({name: verdict_of("SELECT 1;")})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary())
def test_any_bytes_are_a_verdict_or_none(home: dict[str, str], data: bytes) -> None:
    name = sha256("x")
    Cache(home).put({name: Verdict((1,))})
    kept(home)[0].write_bytes(data)
    assert Cache(home).get(name) is None


def test_a_folder_that_others_can_write_is_not_used(home: dict[str, str]) -> None:
    folder = Path(home["XDG_CACHE_HOME"], "gonogo")
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    Cache(home).put({sha256("x"): Verdict((1,))})
    assert kept(home) == [] and Cache(home).get(sha256("x")) is None


@pytest.mark.parametrize("where", ["/dev/null/x", "/proc/nowhere", "relative"])
def test_without_a_place_for_it_there_is_no_cache(where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    cache = Cache({"XDG_CACHE_HOME": where})
    cache.put({sha256("x"): Verdict((1,))})
    assert cache.get(sha256("x")) is None


def test_it_does_not_grow_without_end(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(home)
    size = 5_000
    for number in range(8):
        name = sha256(str(number))
        cache.put({name: Verdict((1,), fault="x" * size)})
        path = next(path for path in kept(home) if path.name == name)
        os.utime(path, (number, number))
    monkeypatch.setattr(caching, "LARGEST", 4 * size)
    cache.put({sha256("last"): Verdict((1,))})
    left = {path.name for path in kept(home)}
    assert sha256("last") in left and sha256("7") in left and sha256("0") not in left
    assert sum(path.stat().st_size for path in kept(home)) <= 2 * size + 500


def test_several_processes_find_what_one_finds(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {sha256(text): text for number in range(40) if (text := f"-- {number}\n{SCRIPTS[number % len(SCRIPTS)]}")}
    alone = {name: verdict_of(text) for name, text in texts.items()}
    monkeypatch.setattr(judging, "WORTH_A_PROCESS", 100)
    monkeypatch.setattr(judging, "_processors", lambda: 4)
    assert judging.verdicts(texts, Cache(home)) == alone
    assert len(kept(home)) == len(texts)
    monkeypatch.setattr(reading, "verdict_of", None)
    assert judging.verdicts(texts, Cache(home)) == alone


def test_what_a_process_cannot_finish_is_judged_by_another(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = os.getpid()

    def dies_elsewhere(text: str, also: object = ()) -> Verdict:
        if os.getpid() != here:
            os._exit(9)
        return verdict_of(text)

    monkeypatch.setattr(judging, "WORTH_A_PROCESS", 10)
    monkeypatch.setattr(judging, "_processors", lambda: 3)
    monkeypatch.setattr(reading, "verdict_of", dies_elsewhere)
    texts = {sha256(text): text for text in SCRIPTS}
    assert set(judging.verdicts(texts, Cache(home))) == set(texts)
