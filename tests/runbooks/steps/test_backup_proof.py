"""`backup.proof`: what proves that there is a way back, and what exactly is proven; dump and snapshot in one phase."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dumping import fill
from fix_live import Live, shell, write
from pydantic import ValidationError

from migrations.problem import Misuse, Problem
from migrations.server import ThrowawayServer
from runbooks.history.sessions import create_folder
from runbooks.journal import Journal
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.steps.backup_proof import Params
from tests.runbooks.conftest import book_of, opening, outside
from tests.runbooks.steps_context import TARGET, StepContext

EARLIER = "20260130T020304Z-staging-1aaa"
STEPS = {"dump": "backup.dump", "cloud": "shell", "point": "backup.restore_point", "proof": "backup.proof"}
BOOK = book_of(backup=outside(**STEPS))
NOW = datetime.now(UTC)


def stamp(ago: timedelta = timedelta()) -> str:
    return (NOW - ago).isoformat()


@pytest.fixture
def ctx(tmp_path: Path) -> StepContext:
    """A session on a database that need not be there."""
    context = StepContext("postgresql://nobody@localhost:1/shop", tmp_path, runbook=BOOK)
    context.plan()
    context.at = stamp()
    return context


def dump(folder: Path, age: timedelta = timedelta(minutes=5)) -> dict[str, Any]:
    """A dump, and what the step that read it back found."""
    file = folder / "a.dump"
    file.write_bytes(b"PGDMP of the shop")
    os.utime(file, (NOW.timestamp() - 10, NOW.timestamp() - 10))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"path": str(file), "bytes": 17, "sha256": sha256, "taken_at": stamp(age), "state": "artefacts/state.json"}


def ended(ctx: StepContext, step: str, result: dict[str, Any], **more: Any) -> None:
    start = e.StepStarted(step=step, attempt=1, title=step, uses=STEPS[step], effect="outside", why="start")
    said = [e.StepOutput(step=step, attempt=1, stream="out", text=text) for text in more.pop("said", ())]
    ctx.events += [start, *said, e.StepEnded(step=step, attempt=1, end="done", outcome="ok", result=result, **more)]


def point(ctx: StepContext, ago: timedelta = timedelta()) -> None:
    ended(ctx, "point", {"name": "gonogo_x_1", "lsn": "0/16B3748", "at": stamp(ago)})


async def test_a_dump_of_this_session(ctx: StepContext, tmp_path: Path) -> None:
    ended(ctx, "dump", dump(tmp_path))
    result = await ctx.run("backup.proof", id="proof")
    assert (result.by, result.proven, result.path) == ("dump", "read back", str(tmp_path / "a.dump"))
    assert result.state == "artefacts/state.json" and result.max_age_us == 24 * 3600 * 1_000_000
    assert "read back" in ctx.found("proof").title and "by dump of this session" in ctx.found("proof").evidence
    (tmp_path / "a.dump").write_bytes(b"PGDMP of the shop")
    os.utime(tmp_path / "a.dump", (NOW.timestamp() + 99, NOW.timestamp() + 99))
    await ctx.run("backup.proof", id="proof")
    assert "its SHA-256 is the recorded one" in ctx.found("proof").evidence, "another clock may have dated it"
    (tmp_path / "a.dump").write_bytes(b"PGDMP of the shop, longer")
    with pytest.raises(Problem, match=r"dump: .*written to after it was read back; recent: .*; snapshot: no"):
        await ctx.run("backup.proof")


async def test_a_dump_that_is_too_old(ctx: StepContext, tmp_path: Path) -> None:
    ended(ctx, "dump", dump(tmp_path, timedelta(hours=30)))
    with pytest.raises(Problem, match="was taken more than 1d ago"):
        await ctx.run("backup.proof", any_of=["dump"])
    assert (await ctx.run("backup.proof", any_of=["dump"], max_age="2d")).by == "dump"


def session(root: Path, clock: Callable[[], datetime], result: dict[str, Any], *, database: str = "shop") -> None:
    """An earlier session that read a dump back."""
    journal = Journal.create(create_folder(root, EARLIER), clock)
    target = TARGET.model_copy(update={"database": database})
    plan = e.PlanMade(hash="ab" * 32, target=target, protected=False, scripts=())
    done = e.StepEnded(step="dump", attempt=1, end="done", outcome="ok", result=result)
    for event in (opening(session=EARLIER, environment="staging"), plan, done):
        journal.append(event, sync=False)
    journal.close()


async def test_a_dump_of_an_earlier_session(ctx: StepContext, tmp_path: Path, clock: Callable[[], datetime]) -> None:
    found = dump(tmp_path)
    session(tmp_path, clock, found)
    result = await ctx.run("backup.proof", id="proof")
    assert (result.by, result.proven, result.taken_at) == ("recent", "same bytes", found["taken_at"])
    assert f"read back by session {EARLIER}; its SHA-256 is the recorded one" in ctx.found("proof").evidence
    assert "not by dump: no step" in ctx.text("note")
    assert "compared with is gone" in ctx.found("whole").evidence
    state = tmp_path / EARLIER / "artefacts" / "state.json"
    state.parent.mkdir()
    state.write_text("{}")
    await ctx.run("backup.proof", id="proof")
    assert ctx.outcomes == {"proof": "ok"}
    hashed = len(ctx.recorded)
    await ctx.run("backup.proof", id="proof")
    assert len(ctx.recorded) == hashed, "not hashed a second time"
    (tmp_path / "a.dump").write_bytes(b"PGDMP of the sh0p")
    with pytest.raises(Problem, match=f"a.dump of session {EARLIER} is gone, or is not what it was"):
        await ctx.run("backup.proof", id="proof", any_of=["recent"])


async def test_a_dump_of_another_database_is_none(
    ctx: StepContext, tmp_path: Path, clock: Callable[[], datetime]
) -> None:
    session(tmp_path, clock, dump(tmp_path), database="other")
    with pytest.raises(Problem, match="no session of the last 1d has left one"):
        await ctx.run("backup.proof", any_of=["recent"])


async def test_a_dump_found_in_a_folder(database: str, server: ThrowawayServer, tmp_path: Path) -> None:
    fill(database)
    ctx = StepContext(database, tmp_path, runbook=BOOK, environ={"PATH": f"{server.bin}:/usr/bin:/bin"})
    ctx.plan()
    await ctx.run("shell", script="umask 077; pg_dump > night.sql; pg_dump --exclude-table=customers > half.sql.no")
    proof = {"any_of": ["recent"], "file": "*.sql"}
    result = await ctx.run("backup.proof", id="proof", **proof)
    assert (result.by, result.proven, result.what) == ("recent", "read back", str(tmp_path / "night.sql"))
    again = await ctx.run("backup.proof", id="proof", **proof)
    assert again == result and not ctx.progressed
    side = await ctx.run("restore.side", dump="proof")
    assert side.equal, "a way back can start from it"
    with pytest.raises(Problem, match=r"lacks the rows of 1 table: public\.customers"):
        await ctx.run("backup.proof", **{**proof, "file": "half*"})
    await ctx.run("shell", script="umask 077; touch -d '+2 days' night.sql")
    with pytest.raises(Problem, match=r"night\.sql was written at .* still to come"):
        await ctx.run("backup.proof", **proof)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE TABLE other (id int); TRUNCATE "Ord""ers 26", customers')
    await ctx.run("shell", script="umask 077; pg_dump > empty.old")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP TABLE other; INSERT INTO customers VALUES (1, 'c')")
    await ctx.run("backup.proof", **{**proof, "file": "empty.old"})
    assert ctx.outcomes == {"proof": "ok", "whole": "warn"}, "it may be of another database"
    assert "public.other" in ctx.found("whole").evidence and "without a row" in ctx.found("whole").evidence


CLOUD = {"snapshot": "cloud", "printed": "snap-[0-9a-f]+", "any_of": ["snapshot"]}


async def test_a_snapshot_that_a_command_printed_is_only_named(ctx: StepContext) -> None:
    ended(ctx, "cloud", {}, said=("creating snap-0a1b", "done"))
    with pytest.raises(Problem, match="no restore point was made in this session"):
        await ctx.run("backup.proof", **CLOUD)
    point(ctx)
    result = await ctx.run("backup.proof", id="proof", **CLOUD)
    assert (result.by, result.proven, result.what, result.path) == ("snapshot", "only named", "snap-0a1b", "")
    assert (result.restore_point, result.lsn) == ("gonogo_x_1", "0/16B3748")
    assert "nothing here has looked into it" in ctx.found("proof").evidence
    with pytest.raises(Misuse, match="no dump of this session") as refused:
        await ctx.run("restore.side")
    assert "the snapshot snap-0a1b, which its provider restores" in refused.value.advice


@pytest.mark.parametrize(
    ("made", "answer", "words"),
    [
        (timedelta(minutes=1), "none", "a person says that there is no snapshot"),
        (timedelta(minutes=1), "snap-1", "is no id with a time"),
        (timedelta(minutes=1), "snap-1 2026-02-31T00:00Z", "is no id with a time"),
        (timedelta(minutes=1), "snap-1 2026-01-31 02:03", "was begun more than 1d ago"),
        (timedelta(hours=2), "snap-1 {hour}", "cannot be reached from it"),
        (timedelta(hours=-3), "snap-1 {later}", "which is still to come"),
    ],
)
async def test_what_a_person_says_that_does_not_serve(
    ctx: StepContext, made: timedelta, answer: str, words: str
) -> None:
    point(ctx, made)
    hour = timedelta(hours=1)
    ctx.answers["snapshot"] = answer.format(hour=f"{NOW - hour:%Y-%m-%dT%H:%MZ}", later=f"{NOW + hour:%Y-%m-%dT%H:%MZ}")
    with pytest.raises(Problem, match=words):
        await ctx.run("backup.proof", any_of=["snapshot"])


async def test_a_person_is_asked_once(ctx: StepContext) -> None:
    point(ctx)
    ctx.answers["snapshot"] = f"snap-1 {NOW - timedelta(hours=1):%Y-%m-%d %H:%M}"
    for _ in range(2):
        result = await ctx.run("backup.proof", id="proof", any_of=["snapshot"])
        assert (result.what, result.proven) == ("snap-1", "only named")
    assert len(ctx.asked) == 1 and "given by a person" in ctx.found("proof").evidence


def test_what_the_step_takes() -> None:
    wrong = ({"any_of": []}, {"any_of": ["tape"]}, {"snapshot": "cloud"}, {**CLOUD, "any_of": ["dump"]})
    for params in (*wrong, {"any_of": ["dump"], "file": "x"}, {**CLOUD, "printed": "("}):
        with pytest.raises(ValidationError):
            Params.model_validate(params)


COMMAND = """#!/bin/sh -eu
# As a provider's command does: asks unless told not to, answers at once, and is done later.
case "$1" in
create)
    case " $* " in *" --yes "*) ;; *)
        printf 'Create a snapshot of %s? [y/N] ' "$2"
        read -r answer || { echo; echo 'Aborted: nobody answered (use --yes)' >&2; exit 1; }
    ;; esac
    echo 0 > "$HERE/status"
    printf '{"SnapshotIdentifier": "snap-0a1b2c", "Status": "creating"}\\n'
;;
wait)
    for percent in 40 80 100; do echo "$2 creating $percent %"; echo $percent > "$HERE/status"; sleep 0.02; done
    echo "$2 available"
;;
esac
"""


@pytest.fixture
def cloud(tmp_path: Path) -> str:
    """The folder of such a command, to put before the PATH of a run block."""
    (tmp_path / "cloud").mkdir()
    command = tmp_path / "cloud" / "cloud"
    command.write_text(COMMAND.replace("$HERE", str(command.parent)))
    command.chmod(0o755)
    return f'PATH="{command.parent}:$PATH"'


async def test_a_command_that_asks_is_told_that_nobody_answers(ctx: StepContext, cloud: str) -> None:
    with pytest.raises(Problem, match="Aborted: nobody answered"):
        await ctx.run("shell", script=f"{cloud}; cloud create shop")
    assert "Create a snapshot of shop?" in ctx.text()


async def test_a_snapshot_by_command_and_a_dump_in_one_phase(live: Live, cloud: str, tmp_path: Path) -> None:
    snapshot = f"{cloud}\ncloud create shop --yes > made.json; cat made.json\n"
    wait = "cloud wait \"$(sed 's/.*\\(snap-[0-9a-f]*\\).*/\\1/' made.json)\""
    steps = (
        '```toml step\nuses = "backup.restore_point"\n```\n\n```toml step\nid = "dump"\nuses = "backup.dump"\n```\n\n'
    )
    proof = '```toml step\nid = "{id}"\nuses = "backup.proof"\nany_of = ["{way}"]\n{more}required = true\n```\n\n'
    printed = 'snapshot = "cloud"\nprinted = "^(snap-[0-9a-f]+) available"\n'
    both = proof.format(id="named", way="snapshot", more=printed) + proof.format(id="read", way="dump", more="")
    write(live, backup=shell("cloud", snapshot + wait) + steps + both)
    await live.start(mode="backup")
    for step in ("cloud", "backup-restore-point", "dump"):
        await live.until(lambda view, step=step: view.next_start and view.next_start.id == step)
        await live.do(c.Start(step=step))
    assert await live.over() == 0
    ends = {event.step: event for event in live.events if isinstance(event, e.StepEnded)}
    known = next(check for check in ends["opening"].checks if check.id == "restore-point")
    assert (known.outcome, "archive_mode is off" in known.evidence) == ("warn", True), "said before there is a dump"
    assert (tmp_path / "cloud" / "status").read_text() == "100\n", "it was waited for"
    assert (ends["named"].result["what"], ends["named"].result["proven"]) == ("snap-0a1b2c", "only named")
    assert ends["read"].result["proven"] == "read back"
    assert ends["named"].result["restore_point"] == ends["backup-restore-point"].result["name"]
