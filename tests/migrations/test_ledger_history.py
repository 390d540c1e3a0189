"""What the ledger shows that gonogo has not written is told by its rows, its register and its journals."""

import psycopg
import pytest

from migrations import ledger
from migrations.doctor.history import Own, by_hand
from migrations.ledger import Row
from migrations.own import register
from migrations.own.register import TABLE, Who
from migrations.plan import Applied

A, B = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:05.000000Z"
SUM = "ab" * 32


def row(started: str = A, finished: str | None = B, steps: int = 1, **over: object) -> Row:
    values = {"name": "1_a", "checksum": SUM, "failed": False, "rolled_back": False, "logs": None} | over
    return Row("id-1", steps, Applied(started_at=started, finished_at=finished, **values))  # type: ignore[arg-type]


BEGAN = Own({"id-1": ("1_a", SUM)}, frozenset({"id-1"}))


@pytest.mark.parametrize(
    ("rows", "own", "told"),
    [
        ([row()], Own(), []),
        ([row()], BEGAN, []),
        ([row(A, None, failed=True, checksum="x")], Own(), []),
        ([row(A, A, 0, logs="")], Own(), ["noted as applied at"]),
        ([row(A, A, 0)], Own(marked=frozenset({("1_a", "applied")})), []),
        ([row(rolled_back=True)], Own(), ["marked as rolled back, by `prisma migrate resolve`"]),
        ([row(rolled_back=True)], Own(marked=frozenset({("1_a", "rolled back")})), []),
        ([row(steps=0)], Own(), ["finished without a step"]),
        ([row(B, A)], Own(), ["finished before it began"]),
        ([row(logs="ERROR: no")], Own(), ["finished, and has the error of a failure"]),
        ([row(checksum="mine")], Own(), ["its checksum is none"]),
        ([row(checksum="cd" * 32)], BEGAN, ["its checksum is not what gonogo applied"]),
        ([], BEGAN, ["gonogo applied it, and its row is gone"]),
    ],
)
def test_what_is_seen_in_a_row(rows: list[Row], own: Own, told: list[str]) -> None:
    found = by_hand(rows, own)
    assert [edit.migration for edit in found] == ["1_a"] * len(told)
    assert all(edit.what.startswith(words) for edit, words in zip(found, told, strict=True)), found


async def test_the_register_knows_what_gonogo_wrote(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as conn:
        assert await register.known(conn) == Own()
        await ledger.create(conn)
        id = await ledger.start(conn, "1_a", SUM)
        await ledger.finish(conn, id)
        await register.make(conn)
        who = Who("s", "ana", "host", "CHG-1", "plan")
        for event in ("started", "applied"):
            await register.write(conn, who, "1_a", SUM, id, event)
        await register.write(conn, who, "2_b", "", "", "marked as rolled back")
        own = await register.known(conn)
        assert own == Own({id: ("1_a", SUM)}, frozenset({id}), frozenset({("2_b", "rolled back")}))
        rows = await ledger.rows(conn)
        assert rows is not None and by_hand(rows, own) == ()
        await conn.execute("DELETE FROM _prisma_migrations")
        assert [edit.words for edit in by_hand((), own)] == ["1_a: gonogo applied it, and its row is gone"]
        await conn.execute("CREATE ROLE reader_of_history NOLOGIN")
        try:
            await conn.execute("SET ROLE reader_of_history")
            assert await register.known(conn) == Own(), "who may not read it is told nothing, and stopped by nothing"
        finally:
            await conn.execute("RESET ROLE; DROP ROLE reader_of_history")
    assert TABLE.name == "register"
