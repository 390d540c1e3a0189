"""`backup.retention`: which dumps go, which stay and why, and that a person is asked."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dumping import names

from migrations.problem import Problem
from runbooks.history.backups import Kept
from runbooks.history.retention import judge
from runbooks.history.sessions import create_folder
from runbooks.journal import Journal
from runbooks.session import events as e
from runbooks.steps import backup_retention
from tests.runbooks.conftest import book_of, opening, outside
from tests.runbooks.steps_context import TARGET, StepContext

NOW = datetime.now(UTC)
ENDED = e.SessionEnded(outcome="go", exit_code=0)
BOOK = book_of(backup=outside(dump="backup.dump", proof="backup.proof", tidy="backup.retention"))


def of(days: int, **more: Any) -> Kept:
    at = (NOW - timedelta(days=days)).isoformat()
    values = {"session": f"s{days}", "path": Path(f"/d/{days}"), "sha256": "", "bytes": 5, "taken_at": at}
    return Kept(**{**values, "state": Path("s"), **more})


DUMPS = (of(1), of(9), of(10), of(20), of(90))


@pytest.mark.parametrize(
    ("dumps", "keep", "older", "needed", "going"),
    [
        (DUMPS, 2, 8, {}, [10, 20, 90]),
        (DUMPS, 2, 15, {}, [20, 90]),
        (DUMPS, 1, 8, {Path("/d/20"): "s20"}, [9, 10, 90]),
        (DUMPS, 9, 1, {}, []),
        ((of(90),), 1, 1, {}, []),
        ((of(1, bytes=4), of(90)), 1, 1, {}, []),
        ((of(1), of(90, bytes=4)), 1, 1, {}, []),
        ((of(1), of(90, ours=False)), 1, 1, {}, []),
        ((of(1), of(90, open=True)), 1, 1, {}, []),
    ],
    ids=["old", "older", "needed", "keep", "only one", "newest cut", "not recorded", "a script's", "open"],
)
def test_which_dumps_may_go(
    dumps: tuple[Kept, ...], keep: int, older: int, needed: dict[Path, str], going: list[int]
) -> None:
    sizes = {dump.path: 5 for dump in dumps}
    found = judge(dumps, sizes, needed, now=NOW, keep=keep, older_than=timedelta(days=older))
    assert [each.dump.path.name for each in found if not each.stays] == list(map(str, going))
    assert len(found) == sum(dump.ours for dump in dumps) and not judge(
        dumps, {}, needed, now=NOW, keep=keep, older_than=timedelta(0)
    )


def dump(tmp_path: Path, days: int) -> dict[str, Any]:
    file = tmp_path / "dumps" / f"shop_{days}.dump"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"PGDMP %d" % days)
    return {
        "path": str(file),
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "taken_at": (NOW - timedelta(days=days)).isoformat(),
        "state": "artefacts/state.json",
        "lsn": "0/1",
    }


@pytest.fixture
def ctx(tmp_path: Path, clock: Callable[[], datetime]) -> StepContext:
    """A session with a dump, after others; one of them has not ended, and one was on another database."""
    context = StepContext("postgresql://nobody@localhost:1/shop", tmp_path, runbook=BOOK)
    context.plan()
    context.finish("dump", dump(tmp_path, 0))
    for days, more in {70: [ENDED], 60: [ENDED], 50: [], 40: [ENDED], 39: [ENDED]}.items():
        name = f"20260130T0203{days}Z-staging-1aaa"
        target = TARGET.model_copy(update={"database": "other"} if days == 39 else {})
        plan = e.PlanMade(hash="ab" * 32, target=target, protected=False, scripts=())
        done = e.StepEnded(step="dump", attempt=1, end="done", outcome="ok", result=dump(tmp_path, days))
        journal = Journal.create(create_folder(tmp_path, name), clock)
        for event in (opening(session=name, environment="staging"), plan, done, *more):
            journal.append(event, sync=False)
        journal.close()
    return context


def left(tmp_path: Path) -> list[int]:
    return sorted(int(name[5:-5]) for name in names(tmp_path / "dumps"))


async def test_old_dumps_are_removed_on_a_persons_word(ctx: StepContext, tmp_path: Path) -> None:
    ctx.answers["remove"] = "remove"
    result = await ctx.run("backup.retention", id="tidy", keep=1)
    assert left(tmp_path) == [0, 39, 50], "this one, another database's, and one of a session that has not ended"
    assert [Path(path).name for path in result.removed] == ["shop_40.dump", "shop_60.dump", "shop_70.dump"]
    assert (result.kept, result.freed) == (2, 24)
    assert "shop_40.dump" in ctx.asked[0] and "shop_50" not in ctx.asked[0]
    said = ctx.text()
    assert "session 20260130T020350Z-staging-1aaa has not ended" in said and "1 more lie there" in said
    assert f"session {ctx.session} has not ended" in said
    again = await ctx.run("backup.retention", id="tidy", keep=1)
    assert again.removed == () and len(ctx.asked) == 1, "nothing to ask"


async def test_a_session_that_cannot_be_read_is_named_before_a_person_is_asked(
    ctx: StepContext, tmp_path: Path
) -> None:
    name, other = "20260130T020399Z-staging-1aaa", "20260130T020350Z-staging-1aaa"
    create_folder(tmp_path, name).joinpath("journal.jsonl").write_bytes(b"not a journal\n")
    with (tmp_path / other / "journal.jsonl").open("ab") as journal:
        journal.write(b"and here it was damaged\n")
    ctx.answers["remove"] = "keep"
    await ctx.run("backup.retention", keep=1)
    assert ctx.outcomes["unread"] == "warn" and {name, other} <= set(
        ctx.found("unread").evidence.replace(",", "").split()
    )


async def test_however_many_sessions_came_later(ctx: StepContext, tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"20260130T04{number:04}Z-staging-1aaa").mkdir()
    ctx.answers["remove"] = "remove"
    await ctx.run("backup.retention", id="tidy", keep=1)
    assert left(tmp_path) == [0, 39, 50]


async def test_a_person_keeps_them(ctx: StepContext, tmp_path: Path) -> None:
    ctx.answers["remove"] = "keep"
    result = await ctx.run("backup.retention", keep=1)
    assert result.removed == () and left(tmp_path) == [0, 39, 40, 50, 60, 70]


async def test_nothing_goes_where_the_newest_is_damaged(ctx: StepContext, tmp_path: Path) -> None:
    (tmp_path / "dumps" / "shop_0.dump").write_bytes(b"PGDMP 1")
    with pytest.raises(Problem, match=r"shop_0.dump, the newest dump that would stay, is not what"):
        await ctx.run("backup.retention", keep=1)
    assert len(left(tmp_path)) == 6 and ctx.asked == []


async def test_what_this_session_proves_its_way_back_by_stays(ctx: StepContext, tmp_path: Path) -> None:
    ctx.answers["remove"] = "remove"
    ctx.finish("proof", {key: value for key, value in dump(tmp_path, 40).items() if key != "lsn"})
    await ctx.run("backup.retention", id="tidy", keep=1)
    assert left(tmp_path) == [0, 39, 40, 50]


async def test_what_is_needed_by_the_time_of_the_answer_stays(
    ctx: StepContext, tmp_path: Path, clock: Callable[[], datetime]
) -> None:
    """Another session begins while the question stands."""

    async def ask(*_: object, **__: object) -> str:
        name = "20260131T020350Z-staging-1aaa"
        journal = Journal.create(create_folder(tmp_path, name), clock)
        plan = e.PlanMade(hash="ab" * 32, target=TARGET, protected=False, scripts=())
        proof = {key: value for key, value in dump(tmp_path, 60).items() if key not in ("lsn", "bytes")}
        proven = e.StepEnded(step="proof", attempt=1, end="done", outcome="ok", result=proof)
        for event in (opening(session=name, environment="staging"), plan, proven):
            journal.append(event, sync=False)
        journal.close()
        return "remove"

    ctx.ask = ask  # type: ignore[method-assign]
    with pytest.raises(
        Problem, match=r"shop_60\.dump stays by now: session 20260131T020350Z-staging-1aaa has not ended"
    ):
        await ctx.run("backup.retention", id="tidy", keep=1)
    assert left(tmp_path) == [0, 39, 40, 50, 60, 70]


async def test_a_crash_in_the_middle_tells_what_is_gone(ctx: StepContext, tmp_path: Path) -> None:
    ctx.answers["remove"] = "remove"
    await ctx.run("backup.retention", id="tidy")
    start = e.StepStarted(step="tidy", attempt=1, title="", uses="backup.retention", effect="outside", why="resume")
    settled = await backup_retention.reconcile(ctx, backup_retention.Params(), start)
    assert settled.words == "it was cut short; removed: shop_60.dump, shop_70.dump"
