"""A run on paper writes down what a run sends, statement by statement, and changes nothing."""

import re
from typing import Any

import pytest

from migrations.apply.paper import PaperTarget, PaperWire
from migrations.apply.sending import Reply, Wire
from migrations.own.register import Who
from migrations.sql import Way
from tests.migrations.applying import Bench

SCRIPTS = {
    "1_all": "CREATE TABLE a (i int);\n\nCREATE TABLE b (s text DEFAULT 'a;b');\n-- the end",
    "2_pieces": "CREATE TABLE c (i int);\nCREATE INDEX CONCURRENTLY x ON c (i);\nINSERT INTO c SELECT 1;",
    "3_own": "BEGIN;\nCREATE TABLE d ();\nCOMMIT;\nSET lock_timeout = '1s';\nDROP TABLE d;",
    "4_enum": "CREATE TYPE e AS ENUM ();\nBEGIN;\nCREATE TABLE f ();\nCOMMIT AND CHAIN;\nCREATE TABLE g ();\nCOMMIT;",
    "5_call": "DO $$ BEGIN COMMIT; END $$",
    "6_empty": "-- nothing",
    "7_leaves": "SELECT set_config('search_path', '', false);\nSET ROLE pg_database_owner;\nSELECT pg_sleep(0);",
}
MADE_AT_THE_RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|20\d\d-\d\d-\d\d \d\d:\d\d:\d\d[.0-9]*\+00:00")


def plain(text: str) -> str:
    """Without what is made at the run."""
    return MADE_AT_THE_RUN.sub("…", text).strip().rstrip(";")


@pytest.mark.parametrize("way", ["safe", "prisma-7.3", "prisma-7.4"])
async def test_what_is_written_is_what_is_sent(database: str, way: Way) -> None:
    on_paper: list[tuple[str, str]] = []
    sent: list[str] = []

    class Recorded(Wire):
        async def send(self, query: str, **over: Any) -> Reply:
            sent.append(query)
            return await super().send(query, **over)

    paper = Bench(database)
    paper.target = PaperTarget(paper.target, lambda purpose, text: on_paper.append((purpose, text)))
    scripts = {name: text for name, text in SCRIPTS.items() if way != "prisma-7.3" or name != "2_pieces"}
    await paper.apply(scripts, way, wire=PaperWire, register=Who("s", "o", "h", "t", "p"))
    assert await paper.value("SELECT count(*) FROM pg_class WHERE oid > 16384") == 0
    real = Bench(database)
    await real.apply(scripts, way, wire=Recorded)
    written = [text for purpose, text in on_paper if purpose == "script" and "--" not in text[:2]]
    settings = [text for text in written if "client_connection_check_interval" in text]
    assert len(settings) == len(scripts)
    assert [plain(text) for text in written if text not in settings] == [plain(text) for text in sent]
    ledger = "\n".join(text for purpose, text in on_paper if purpose == "ledger")
    assert ledger.index("pg_try_advisory_lock(72707369)") < ledger.index("CREATE TABLE")
    assert ledger.count("INSERT INTO public._prisma_migrations") == len(scripts)
    assert ledger.count("INSERT INTO gonogo.register") == 2 * len(scripts)
    finished = ledger.count("SET applied_steps_count") + "\n".join(written).count("SET applied_steps_count")
    assert finished == len(scripts)


async def test_a_paper_connection_could_not_write_if_it_would(database: str) -> None:
    bench = Bench(database)
    target = PaperTarget(bench.target, lambda purpose, text: None)
    conn = await target.open("ledger", application_name="x")
    try:
        assert (await (await conn.execute("SHOW default_transaction_read_only")).fetchone()) == ("on",)
        cursor = await conn.execute("CREATE TABLE a ()")
        assert cursor.rowcount == 1
        assert await bench.value("SELECT to_regclass('a')") is None
    finally:
        await conn.close()
