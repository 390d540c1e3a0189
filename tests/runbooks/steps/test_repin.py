"""The session moves over to a database that was restored elsewhere, and stays there."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from fix_live import Live, settle, shell, write
from pydantic import JsonValue

from migrations.problem import Misuse
from migrations.server import ThrowawayServer
from migrations.target import Fingerprint, Pinned
from migrations.target.presence import KEY
from runbooks.report.formats import rendered
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.moved import moved_to, target_of
from runbooks.session.view import RunView, fold
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import Setting, read_urls
from runbooks.steps.changes_show import _restored
from runbooks.steps.target_repin import _must_differ
from tests.matrix.test_failover import RECOVERS, copied
from tests.runbooks.conftest import book_of, the_plan
from tests.runbooks.steps_context import StepContext

WAY = """
### Point in time

```toml option
id = "pit"
costs = "an hour"
loses = "what was written since the moment"
read_by = "a DBA"
```

```toml step
id = "repin"
uses = "target.repin"
```

```toml step
id = "there"
uses = "sql.check"
query = "SELECT count(*) = 0 FROM pg_class WHERE relname = 'since'"
```

""" + shell("where", 'echo "at ${SMALL_URL#*host=}"')


def query(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.encode())


def is_in_recovery(server: ThrowawayServer) -> bool:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    return row is None or bool(row[0])


def is_locked(url: str) -> bool:
    """Whether a session is on the database, for another one to see."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT NOT pg_try_advisory_lock(%s)", (KEY,)).fetchone()
    return row is not None and bool(row[0])


async def test_it_moves_to_a_restored_copy_though_the_old_database_is_gone(
    live: Live, server: ThrowawayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.small.toml(restored_url="RESTORED_URL")
    write(live)
    with (live.small.folder / "small.md").open("a") as document:
        document.write(WAY)
    await live.start(park_seconds=0.1)
    await live.until(lambda view: view.phase == "backup")
    await live.do(c.RollBack(option="pit", reason="to see it"))
    assert "a DBA has read this way back" in await live.refused(c.Start(step="repin"))
    await live.do(c.Tick(item="pit-read", evidence="ben"))
    await live.do(c.Start(step="repin"))
    view = await live.until(lambda view: view.step("repin").status == "ended")
    assert view.decisions[-1].event.ranked.startswith("Nothing was committed")
    assert view.step("repin").failure is not None and "is on already" in view.step("repin").failure.what
    await live.client.close()
    await live.over()
    await copied(server, tmp_path / "copy")
    query(live.small.url, "CREATE TABLE since ()")
    name = live.small.url.split("?")[0].rsplit("/", 1)[1]
    query(server.url(), f'DROP DATABASE "{name}" WITH (FORCE)')
    restored = await ThrowawayServer.start(tmp_path / "copy", bin=server.bin, settings=RECOVERS)
    try:
        monkeypatch.setenv("RESTORED_URL", restored.url(name))
        await settle(lambda: not is_in_recovery(restored))
        await _moves(live, name, restored)
    finally:
        await live.drop()
        await restored.stop()


async def _moves(live: Live, name: str, restored: ThrowawayServer) -> None:
    await live.start(park_seconds=0.1)
    view = await live.until(lambda view: view.step("opening").attempt == 2 and view.step("opening").end == "done")
    assert [check.outcome for check in view.step("opening").checks if check.id == "target"] == ["warn"]
    await live.do(c.Start(step="repin"))
    view = await live.until(lambda view: view.questions or view.step("repin").status == "ended")
    assert view.questions, view.step("repin").failure
    exact = view.questions["repin/database"].exact
    assert exact is not None and name in exact and str(restored.socket) in exact
    await live.do(c.Answer(question="repin/database", answer=exact))
    view = await live.until(lambda view: view.step("there").status == "ended")
    assert view.step("there").outcome == "ok", view.step("there").failure
    told = {check.id: check.outcome for check in view.step("repin").checks}
    assert told == {"identity": "ok", "moment": "ok", "schema": "ok", "moved": "ok"}
    assert "same system identifier and database" in view.step("repin").checks[0].evidence
    assert is_locked(restored.url(name)), "another session could begin there"
    await live.do(c.Start(step="where"))
    await _is_there(await live.until(lambda view: view.step("where").status == "ended"), exact, restored)
    await live.client.close()
    await live.over()
    await live.start()
    view = await live.until(lambda view: view.step("opening").attempt == 3 and view.step("opening").end == "done")
    assert {check.id: check.outcome for check in view.step("opening").checks} == {"target": "ok", "alone": "ok"}
    await live.do(c.Start(step="where"))
    await _is_there(
        await live.until(lambda view: view.step("where").attempt == 2 and view.step("where").end), exact, restored
    )
    await live.do(c.Decide(what="go", phase="rollback"))
    await live.until(lambda view: view.ended)
    text = rendered("md", live.folder / "journal.jsonl").decode()
    assert "the session moved to another database" in text and restored.password not in text


async def _is_there(view: RunView, exact: str, restored: ThrowawayServer) -> None:
    target = target_of(view)
    assert target is not None and (target.address, moved_to(view)) == (exact, "RESTORED_URL")
    assert view.plan is not None and view.plan.target.timeline != target.timeline
    assert any(restored.socket.parent.name in line.text for line in view.step("where").lines)


def test_an_attempt_that_came_to_nothing_does_not_move_the_session_back(tmp_path: Path) -> None:
    pinned: dict[str, JsonValue] = {"oid": "6", "timeline": "00000002"}
    again = e.StepStarted(step="repin", attempt=2, title="", uses="target.repin", effect="outside", why="start")
    events: list[e.Event] = [
        the_plan(),
        e.StepEnded(
            step="repin", attempt=1, end="done", outcome="ok", result={"repinned": pinned, "moved_to": "RESTORED_URL"}
        ),
        e.StepEnded(step="swap", attempt=1, end="done", outcome="ok", result={"repinned": {"oid": "7"}}),
        again,
    ]
    for then in ([], [e.StepEnded(step="repin", attempt=2, end="failed", outcome="fail")]):
        view = fold((seq, f"2026-01-31T02:03:0{seq}Z", event) for seq, event in enumerate([*events, *then]))
        target = target_of(view)
        assert target is not None and (target.oid, target.timeline) == ("7", "00000002")
        assert moved_to(view) == "RESTORED_URL"
        context = StepContext("postgresql://nobody@localhost:1/shop", tmp_path)
        context.events += [*events, *then]
        assert _restored(context), "what is compared with the dump is what was restored"


PIN = Fingerprint("1", "shop", "5", False, "2026-01-01", "00000001", "18", 18, "db-1:5432")


def test_a_restored_database_has_another_identity_timeline_or_start() -> None:
    with pytest.raises(Misuse, match="is on already"):
        _must_differ(PIN, replace(PIN, address="db-2:5432"))
    for other in ({"timeline": "00000002"}, {"oid": "6"}, {"postmaster_start": "2026-01-02"}):
        _must_differ(PIN, replace(PIN, **other))


def test_after_a_move_only_the_new_address_is_given_to_anybody() -> None:
    environment = Environment(name="here", url="A", direct_url="B", restored_url="C")
    addresses = {name: f"postgresql://u:p@{name.lower()}.test/shop" for name in "ABC"}
    assert {url.host for url in read_urls(environment, addresses).values()} == {"a.test", "b.test"}
    moved = read_urls(environment, addresses, "C")
    assert {name: url.host for name, url in moved.items()} == {"A": "c.test", "B": "c.test"}
    with pytest.raises(Misuse, match="C is not set"):
        read_urls(environment, {"A": "x", "B": "x"}, "C")


def test_what_came_back_under_the_old_address_is_another_place_to_hold(tmp_path: Path) -> None:
    here = Environment(name="here", url="A")
    project = Project(name="p", folder=tmp_path, sha256="", migrations=tmp_path, environments={"here": here})
    urls = read_urls(here, {"A": "postgresql://u:p@a.test/shop"})
    setting = Setting(tmp_path, project, here, book_of(), urls, Pinned(urls["A"]), {})
    before = setting.target.url
    setting.move_to(setting.restored())
    assert setting.target.url == before
    assert setting.target.url is not before, "by this the lock is known to be elsewhere"
