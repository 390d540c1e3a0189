"""Pauses between transactions: what is asked, and what ending there leaves. A cancel in the middle of each way."""

import asyncio
from dataclasses import replace

import pytest

from migrations.apply import events as e
from migrations.apply.pausing import Next
from migrations.sql import Way
from tests.migrations.applying import Bench, ready, until

TWO = {
    "1": "CREATE TABLE a ();\nCREATE TABLE b ();",
    "2": "CREATE TABLE c (i int);\nCREATE INDEX CONCURRENTLY x ON c (i);\nCREATE TABLE d ();",
    "3": "BEGIN;\nCREATE TABLE f ();\nCOMMIT AND CHAIN;\nCREATE TABLE g ();\nCOMMIT;\nCREATE TABLE h ();",
}
ALL = [("2", 0, 0), ("2", 1, 1), ("2", 2, 2), ("3", 0, 2), ("3", 5, 5)]


class Person:
    """Answers, and notes what was asked and whether a transaction stood open meanwhile."""

    def __init__(self, bench: Bench, until: int = 99) -> None:
        self.bench, self.until = bench, until
        self.asked: list[tuple[str, int, int]] = []
        self.open: list[object] = []

    async def go_on(self, following: Next) -> bool:
        self.asked.append((following.name, following.first, following.last))
        query = "SELECT count(*) FROM pg_stat_activity WHERE state ~ 'in transaction' AND application_name ~ 'script'"
        self.open.append(await self.bench.value(query))
        return len(self.asked) <= self.until


async def test_a_person_is_asked_between_transactions_and_never_inside_one(database: str) -> None:
    bench = Bench(database)
    person = Person(bench)
    result = await bench.apply(TWO, go_on=person.go_on)
    assert (len(result.scripts), result.stopped, person.asked) == (3, False, ALL)
    assert set(person.open) == {0}


@pytest.mark.parametrize(
    ("words", "rows", "amid", "fate"),
    [
        (0, [("1", "applied", 1)], "", "applied"),
        (1, [("1", "applied", 1), ("2", "failed", 0)], "2", "partly"),
        (3, [("1", "applied", 1), ("2", "applied", 1)], "", "applied"),
    ],
)
async def test_ending_at_a_pause_leaves_what_resume_understands(
    database: str, words: int, rows: list[tuple[str, str, int]], amid: str, fate: str
) -> None:
    bench = Bench(database)
    result = await bench.apply(TWO, go_on=Person(bench, words).go_on)
    assert (result.stopped, result.amid, await bench.rows()) == (True, amid, rows)
    last = (await bench.settle())[-1]
    assert (last.state, last.through) == (fate, words if amid else last.statements)


async def test_a_cancel_and_a_stop_end_the_wait_for_an_answer(database: str) -> None:
    bench, asked, stop = Bench(database), asyncio.Event(), asyncio.Event()

    async def never(following: Next) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    work = asyncio.create_task(bench.apply(TWO, go_on=never, stop_asked=stop.is_set))
    await asyncio.wait_for(asked.wait(), 20)
    stop.set()
    assert (await asyncio.wait_for(work, 20)).stopped
    asked.clear()
    stop.clear()
    work = asyncio.create_task(bench.apply({"2": TWO["2"]}, go_on=never))
    await asyncio.wait_for(asked.wait(), 20)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(work, 20)
    assert bench.told(e.ScriptBroken)[-1].through == 1
    assert [(fate.state, fate.through) for fate in await bench.settle()][-1] == ("partly", 1)


async def test_what_was_set_before_the_end_holds_again_and_raises_no_timeout(database: str) -> None:
    bench = Bench(database)
    text = (
        "SELECT set_config('search_path', 'aside', false);\nSET lock_timeout = 0;\nCREATE TABLE public.a (i int);\n"
        "CREATE INDEX CONCURRENTLY x ON public.a (i);\n"
        "CREATE TABLE s AS SELECT current_setting('lock_timeout') AS t;"
    )
    await bench.query("CREATE SCHEMA aside")
    assert (await bench.apply({"1": text}, go_on=Person(bench, 1).go_on)).amid == "1"
    (fate,) = await bench.settle()
    assert fate.through == 4
    await bench.run(replace(await ready("1", text), row=fate.row, through=4, continued=True))
    assert await bench.query("SELECT t FROM aside.s") == [("2s",)]


SLEEPS = "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND wait_event = 'PgSleep'"
SLEEP = "SELECT pg_sleep(60) FROM aside.waits;"
ISOLATED = "CREATE TABLE b AS SELECT current_setting('transaction_isolation') AS level;"
CHAINED = f"BEGIN ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE a ();\nCOMMIT AND CHAIN;\n{ISOLATED}\n{SLEEP}\nCOMMIT;"
CUT: list[tuple[Way, str, int, str | None]] = [
    ("safe", f"CREATE TABLE a (i int);\nCREATE INDEX CONCURRENTLY x ON a (i);\n{SLEEP}", 2, None),
    ("safe", CHAINED, 3, "serializable"),
    ("prisma-7.3", f"CREATE TABLE a (i int);\nCOMMIT;\n{ISOLATED}\n{SLEEP}", 2, "read committed"),
    ("prisma-7.4", f"CREATE TABLE a (i int);\nBEGIN;\n{ISOLATED}\n{SLEEP}\nCOMMIT;", 1, "read committed"),
    ("prisma-7.4", CHAINED, 3, "serializable"),
]


@pytest.mark.parametrize(("way", "text", "through", "level"), CUT)
async def test_a_cancel_in_the_middle_is_known_and_gone_on_from(
    database: str, way: Way, text: str, through: int, level: str | None
) -> None:
    bench = Bench(database)
    await bench.query("CREATE SCHEMA aside; CREATE TABLE aside.waits AS SELECT 1")
    work = asyncio.create_task(bench.apply({"1": text}, way))
    await until(lambda: bench.value(SLEEPS))
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(work, 20)
    (fate,) = await bench.settle()
    assert (fate.state, fate.through, fate.open_row) == ("partly", through, True)
    assert await bench.query("SELECT to_regclass('a'), to_regclass('b')") == [("a", None)]
    await bench.query("TRUNCATE aside.waits")
    await bench.run(replace(await ready("1", text, way), row=fate.row, through=through, continued=True))
    if level:
        assert await bench.query("SELECT level FROM b") == [(level,)]
    assert await bench.rows() == [("1", "applied", 1)]
