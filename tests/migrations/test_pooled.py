"""Behind a pooler: told apart without trusting names, and served only where that is safe."""

import pytest

from migrations.problem import Problem
from migrations.target import Pinned, Url, pooling
from tests.migrations.applying import Bench
from tests.migrations.pooler import pooled


@pytest.mark.parametrize(("transaction", "found"), [(True, "transaction"), (False, "session")])
async def test_a_pooler_is_found_by_what_it_does(database: str, transaction: bool, found: str) -> None:
    async with pooled(database, transaction=transaction) as url:
        assert await pooling(Url.parse(url, variable="DATABASE_URL")) == found


async def test_a_session_mode_pooler_serves_migrations(database: str) -> None:
    async with pooled(database, transaction=False) as url:
        bench = Bench(url)
        bench.plain = database
        bench.target.pooled = True
        look = "CREATE TABLE seen AS SELECT current_setting('lock_timeout') a, current_setting('statement_timeout') b"
        await bench.apply({"1": "SET lock_timeout = 0; CREATE TABLE a ()", "2": look})
        assert await bench.query("SELECT * FROM seen") == [("2s", "20s")]


async def test_a_pooler_that_was_not_said_to_be_there_is_not_silently_used(database: str) -> None:
    async with pooled(database, transaction=False) as url:
        target = Pinned(Url.parse(url, variable="DATABASE_URL"))
        with pytest.raises(Problem, match="is a pooler"):
            await target.open("script", application_name="x", settings={"lock_timeout": "5s"})


async def test_settings_that_a_pooler_drops_are_missed(database: str) -> None:
    async with pooled(database, transaction=False, ignore=True) as url:
        target = Pinned(Url.parse(url, variable="DATABASE_URL"))
        with pytest.raises(Problem, match="lock_timeout is 0 on the connection, not 5s"):
            await target.open("script", application_name="x", settings={"lock_timeout": "5s"})


async def test_a_swapped_connection_is_noticed_before_a_script_runs(database: str) -> None:
    async with pooled(database, transaction=True) as url:
        bench = Bench(url)
        bench.plain = database
        bench.target.pooled = True
        with pytest.raises(Problem, match="no longer held"):
            await bench.apply({"1": "CREATE TABLE a ()"})
        assert await bench.value("SELECT to_regclass('a')") is None
