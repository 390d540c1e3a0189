"""The engine behind its socket: every command becomes an event or is refused with a reason, at whatever moment."""

from datetime import UTC, datetime

import psycopg
from fix_live import Live, asleep, kinds, settle, shell, write

from migrations import ledger
from runbooks.journal import verify
from runbooks.journal.records import stamp
from runbooks.session import commands as c
from runbooks.session import events as e


async def test_an_environment_that_refuses_a_plan_ends_the_session_at_its_opening(live: Live) -> None:
    live.small.toml(refused=["first_run"], allowed=["run"])
    await live.start()
    assert await live.over() == 1
    ended = live.client.view.ended
    assert ended is not None and "here refuses what is first_run" in ended.reason and live.client.view.plan is None


async def test_a_cancelled_question_of_the_opening_ends_the_session(live: Live) -> None:
    write(live)
    live.small.toml(protected=True)
    await live.start()
    await live.until(lambda view: "opening/environment" in view.questions)
    assert "not" in await live.refused(c.Answer(question="opening/environment", answer="there"))
    assert "cancel" in await live.refused(c.Stop())
    assert "opening" not in await live.refused(c.Decide(what="no_go", phase="opening", reason="not tonight"))
    await live.do(c.Cancel())
    assert await live.over() == 1
    await live.until(lambda view: view.ended)
    assert live.client.view.step("opening").end == "stopped"
    assert kinds(live)[-3:] == ["decided", "step_ended", "session_ended"]
    assert verify(live.folder / "journal.jsonl").grade == "consistent"


async def test_what_is_cancelled_is_cancelled_once_and_may_tidy_up(live: Live) -> None:
    await asleep(live)
    assert "running" in await live.refused(c.Start(step="sleep"))
    assert "cancel it first" in await live.refused(c.EndSession(reason="enough"))
    await live.do(c.Cancel())
    assert "already" in await live.refused(c.Cancel())
    view = await live.until(lambda view: view.step("sleep").status == "ended")
    assert view.step("sleep").end == "stopped"
    assert "tidy" in [line.text for line in view.step("sleep").lines]
    await live.do(c.EndSession(reason="enough"))
    assert await live.over() == 1


async def test_go_is_refused_not_fatal_when_the_world_cannot_be_read(live: Live) -> None:
    write(live)
    await live.start()
    await live.until(lambda view: view.phase == "backup" and view.gate.ready)
    await live.do(c.Decide(what="go", phase="backup"))
    script = live.client.view.plan.scripts[0]
    await live.do(c.Review(migration=script.migration, sha256=script.sha256))
    migrations = live.small.folder / "migrations"
    migrations.rename(live.small.folder / "elsewhere")
    await live.do(c.Decide(what="go", phase="preflight"))
    view = await live.until(lambda view: view.refusals)
    assert "migrations" in view.refusals[-1].reason
    (live.small.folder / "elsewhere").rename(migrations)
    await live.do(c.Decide(what="go", phase="preflight"))
    await live.until(lambda view: view.phase == "migrate")


async def test_the_session_can_be_ended_while_a_gate_is_read_for_the_last_time(live: Live) -> None:
    write(live)
    with psycopg.connect(live.small.url) as locker:
        locker.execute(ledger.TABLE.format("_prisma_migrations").encode())
        locker.commit()
        await live.start()
        await live.until(lambda view: view.phase == "backup" and view.gate.ready)
        await live.do(c.Decide(what="go", phase="backup"))
        script = live.client.view.plan.scripts[0]
        await live.do(c.Review(migration=script.migration, sha256=script.sha256))
        locker.execute("LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE")
        await live.do(c.Decide(what="go", phase="preflight"))
        assert "read again" in await live.refused(c.Decide(what="go", phase="preflight"))
        await live.do(c.EndSession(reason="it hangs"))
        await live.until(lambda view: view.ended)
        locker.rollback()
    assert await live.over() == 1
    assert not any(isinstance(event, e.Decided) and event.what == "go" for event in live.events[-3:])


async def test_a_waived_failure_lets_the_next_step_start(live: Live) -> None:
    write(live, backup=shell("first", "exit 3") + shell("second", "echo second"))
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="first"))
    await live.until(lambda view: view.step("first").end == "failed")
    assert "First comes first" in await live.refused(c.Start(step="second"))
    await live.do(c.Waive(subject="first", reason="known"))
    await live.do(c.Start(step="second"))
    await live.until(lambda view: view.step("second").end == "done")
    await live.do(c.Decide(what="go", phase="backup"))


async def test_a_backup_alone_goes_nowhere_else(live: Live) -> None:
    write(live, backup=shell("first", "echo first") + shell("second", "echo second"))
    await live.start(mode="backup")
    await live.until(lambda view: view.next_start)
    assert "backup alone" in await live.refused(c.Decide(what="go", phase="backup"))
    assert "backup alone" in await live.refused(c.RollBack(option="forward", reason="why not"))
    await live.do(c.Start(step="first"))
    await live.until(lambda view: view.step("first").end == "done")
    await live.do(c.Start(step="second"))
    assert await live.over() == 0
    assert kinds(live).count("phase_opened") == 1


async def test_a_reply_never_overtakes_its_events(live: Live) -> None:
    write(live, backup="- [ ] One <!-- id=one -->\n" + shell("talk", "seq 20000"))
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="talk"))
    assert live.client.view.running == "talk"
    for _ in range(50):
        await live.do(c.Tick(item="one"))
        assert "one" in live.client.view.items
        await live.do(c.Untick(item="one"))
        assert "one" not in live.client.view.items
    await live.until(lambda view: view.step("talk").end == "done")
    lines = [t for ev in live.events if isinstance(ev, e.StepOutput) for t in ev.text.splitlines()]
    assert lines == [str(n) for n in range(1, 20001)], "no line is cut in two, none is lost"


async def test_a_gate_that_was_left_open_judges_age_by_the_clock(live: Live) -> None:
    dump = '```toml step\nid = "dump"\nuses = "backup.dump"\nmax_age = "2s"\nfolder = "kept"\n```\n'
    write(live, backup=dump)
    await live.start()
    view = await live.until(lambda view: view.next_start and view)
    disk = next(check for check in view.step("opening").checks if check.id == "disk")
    assert f"free in {live.small.folder / 'kept'};" in disk.evidence, "where it goes"
    await live.do(c.Start(step="dump"))
    await live.until(lambda view: view.step("dump").end == "done")
    await live.do(c.Decide(what="go", phase="backup"))
    script = live.client.view.plan.scripts[0]
    await live.do(c.Review(migration=script.migration, sha256=script.sha256))
    stale_at = str(live.client.view.step("dump").result["stale_at"])
    await settle(lambda: stamp(datetime.now(UTC)) > stale_at)
    assert live.client.view.gate.ready, "no record since: the face cannot know yet"
    assert "too old" in await live.refused(c.Decide(what="go", phase="preflight"))
    await live.do(c.Start(step="dump"))
    await live.until(lambda view: view.step("dump").attempt == 2 and view.step("dump").end == "done")


async def test_a_connection_that_is_lost_fails_the_step_and_crashes_nobody(live: Live) -> None:
    write(live, preflight='```toml step\nid = "look"\nuses = "ledger.inspect"\n```\n')
    with psycopg.connect(live.small.url) as locker:
        locker.execute(ledger.TABLE.format("_prisma_migrations").encode())
        locker.commit()
        await live.start()
        await live.until(lambda view: view.phase == "backup" and view.gate.ready)
        locker.execute("LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE")
        await live.do(c.Decide(what="go", phase="backup"))
        await live.until(lambda view: view.running == "look")
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE NOT granted"
        await settle(lambda: locker.execute(ended).fetchone() != (0,))
        view = await live.until(lambda view: view.step("look").status == "ended")
        assert view.step("look").end == "failed"
        locker.rollback()
    await live.do(c.Start(step="look"))
    await live.until(lambda view: view.step("look").end == "done")


async def test_programs_get_an_environment_that_was_built(live: Live, monkeypatch) -> None:
    monkeypatch.setenv("OTHER_URL", "postgresql://a@elsewhere/d")
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("GONOGO_DUMP_PATH", "/of/another/session")
    monkeypatch.setenv("KEPT", "kept")
    write(live, backup=shell("show", "env; umask; ulimit -c"))
    toml = live.small.folder / "gonogo.toml"
    toml.write_text(toml.read_text() + '[environments.other]\nurl = "OTHER_URL"\nrunbook = "small.md"\n')
    await live.start()
    await live.until(lambda view: view.next_start)
    await live.do(c.Start(step="show"))
    view = await live.until(lambda view: view.step("show").end == "done")
    lines = [line.text for line in view.step("show").lines]
    assert "KEPT=kept" in lines and "GONOGO_ENVIRONMENT=here" in lines
    assert any(line.startswith("SMALL_URL=") and "«redacted:" in line for line in lines)
    assert not [line for line in lines if line.startswith(("OTHER_URL", "PGHOST=elsewhere", "GONOGO_DUMP_PATH"))]
    assert "PGPASSWORD=«redacted:SMALL_URL password»" in lines, "pg_dump alone goes to the target"
    assert lines[-2:][0] == "0077"
