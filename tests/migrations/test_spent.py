"""Approvals that are used up in the target: once, by one session, until they expire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from migrations.own.spent import Use, may, spend, spent
from migrations.problem import Problem

USE = Use("d" * 32, "session-1", "ana@example.org", "CHG-1", "a" * 64, "ben@example.org", "first")
LATER = datetime.now(UTC) + timedelta(days=1)


async def connected(url: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def test_an_approval_is_used_up_once_and_by_one_session(database: str) -> None:
    async with await connected(database) as target:
        await may(target)
        assert await spent(target, USE.number) is None
        with pytest.raises(Problem, match="has expired"):
            await spend(target, USE, datetime.now(UTC) - timedelta(days=1), ())
        assert await spent(target, USE.number) is None
        await spend(target, USE, LATER, ())
        found = await spent(target, USE.number)
        assert found is not None and (found.session, found.operator) == ("session-1", "ana@example.org")
        # A session that is resumed goes on with it, however late; a copy of it from before the use does not.
        await spend(target, replace(USE, mark="second"), LATER - timedelta(days=9), {"first"})
        with pytest.raises(Problem, match="an older copy, or was cut"):
            await spend(target, replace(USE, mark="second"), LATER, {"third"})
        with pytest.raises(Problem, match=r"used up by ana@example\.org in the session session-1"):
            await spend(target, replace(USE, session="session-2"), LATER, ())
        for change in ("DELETE FROM", "TRUNCATE", "UPDATE"):
            rest = " SET session = ''" if change == "UPDATE" else ""
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                await target.execute(f"{change} gonogo.approvals{rest}".encode())


def sql_of(problem: Problem) -> bytes:
    """What an administrator is asked to run."""
    return problem.advice.removeprefix("Let an administrator run: ").encode()


async def test_a_role_that_may_not_note_it_is_told_before_with_the_sql(database: str) -> None:
    async with await connected(database) as target:
        await target.execute("CREATE ROLE noter")
        try:
            await target.execute("SET ROLE noter")
            with pytest.raises(Problem, match="noter may not make") as refused:
                await may(target)
            assert refused.value.advice.startswith("Let an administrator run: GRANT CREATE ON DATABASE")
            await target.execute("RESET ROLE")
            await target.execute("CREATE SCHEMA gonogo")
            await target.execute("SET ROLE noter")
            with pytest.raises(Problem, match="may not make") as refused:
                await may(target)
            await target.execute("RESET ROLE")
            await target.execute(sql_of(refused.value))
            await target.execute("SET ROLE noter")
            await may(target)
            await spend(target, replace(USE, number="f" * 32), LATER, ())
            await target.execute("RESET ROLE; DROP TABLE gonogo.approvals")
            await target.execute("REVOKE ALL ON SCHEMA gonogo FROM noter; DROP FUNCTION gonogo.only_appended")
            await spend(target, USE, LATER, ())
            await target.execute("SET ROLE noter")
            with pytest.raises(Problem, match="may not write to") as refused:
                await may(target)
            await target.execute("RESET ROLE")
            await target.execute(sql_of(refused.value))
            await target.execute("SET ROLE noter")
            await may(target)
            await spend(target, replace(USE, number="e" * 32), LATER, ())
        finally:
            await target.execute("RESET ROLE")
            await target.execute("DROP OWNED BY noter; DROP ROLE noter")
