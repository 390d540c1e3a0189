"""`schema.drift`, before and after a migration; and where it cannot compare."""

from pathlib import Path

import psycopg
import pytest

from runbooks.ledger.drifting import DriftStatus, DriftTold, script_of
from runbooks.steps.schema_drift import MOST, _keep, _without_secrets
from tests.runbooks.steps_context import StepContext

FIRST, SECOND = "CREATE TABLE t (x integer)", "ALTER TABLE t ADD y text"


class Session(StepContext):
    """A database that has the first of two migrations; the second one is planned, under the name `m1`."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self.url = url
        for name, text in (("m0", FIRST), ("m1", SECOND)):
            place = self.project.migrations / name
            place.mkdir(parents=True)
            (place / "migration.sql").write_text(text)
        self.plan(FIRST, SECOND)

    async def applied(self, to: str) -> None:
        await self.run("migrations.apply", to=to, lock_timeout="2s")

    def by_hand(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement.encode())


@pytest.fixture
def session(database: str, tmp_path: Path) -> Session:
    return Session(database, tmp_path)


@pytest.mark.soak
async def test_before_and_after(session: Session) -> None:
    await session.applied("m0")
    session.by_hand("ALTER TABLE t ALTER x SET DEFAULT 7", "COMMENT ON TABLE t IS 'x'")
    before = await session.run("schema.drift", id="drift")
    assert before.compared and set(before.drifted) == {"table/public.t/column/x/default", "table/public.t/comment"}
    assert session.outcomes == {"replayed": "ok", **dict.fromkeys(before.drifted, "warn")}
    check = session.found("table/public.t/column/x/default")
    assert (check.title, check.evidence) == ("column t.x: default", "the folder: none; the target: 7")
    assert "ALTER COLUMN x DROP DEFAULT" in check.advice
    script = (session.folder / before.artefact).read_text()
    assert script.startswith("\\set ON_ERROR_STOP on\n"), "psql would go on after an error"
    session.by_hand(*[line for line in script.splitlines() if line.startswith("COMMENT")])
    session.by_hand(SECOND, "ALTER TABLE t ADD z integer")
    session.by_hand(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', 'm1', now())"
    )
    after = await session.run("schema.drift", id="drift-after", **{"from": "drift"}, timeout="1ms")
    assert after.compared, "what was foretold needs no time"
    assert set(after.drifted) == {"table/public.t/column/x/default", "table/public.t/column/z"}
    assert session.outcomes == {"replayed": "warn", "table/public.t/column/z": "fail"}
    assert "edited after" in session.found("replayed").evidence


async def test_no_drift_and_what_is_known(session: Session) -> None:
    await session.applied("m0")
    result = await session.run("schema.drift", id="drift")
    assert (result.compared, result.drifted, session.outcomes) == (True, (), {"replayed": "ok", "drift": "ok"})
    await session.applied("m1")
    await session.run("schema.drift", id="after", **{"from": "drift"})
    assert set(session.outcomes.values()) == {"ok"}
    session.by_hand("CREATE SCHEMA s", "COMMENT ON TABLE t IS 'hunter2-hunter2'")
    result = await session.run("schema.drift", id="after", **{"from": "drift"})
    assert session.outcomes == {"replayed": "ok", "schema/s": "fail", "table/public.t/comment": "fail"}
    kept = (session.folder / result.artefact).read_bytes()
    assert b"hunter2-hunter2" not in kept and "«redacted:TOKEN»".encode() in kept
    await session.run("schema.drift", id="after", **{"from": "never-ran"})
    assert session.outcomes == {"replayed": "ok", "schema/s": "warn", "table/public.t/comment": "warn"}


@pytest.mark.soak
async def test_too_many_are_told_together(session: Session) -> None:
    await session.applied("m1")
    session.by_hand(*[f"CREATE SCHEMA s{number}" for number in range(MOST + 5)])
    await session.run("schema.drift")
    assert len(session.checks) == MOST + 2
    assert session.found("more").evidence.startswith("5 more")


async def test_what_keeps_it_from_comparing_is_unknown_and_no_failure(session: Session) -> None:
    session.by_hand("CREATE TABLE old ()")
    result = await session.run("schema.drift")
    assert not result.compared and session.outcomes == {"replayed": "unknown"}
    assert "no ledger" in session.found("replayed").evidence
    session.by_hand("DROP TABLE old")
    await session.applied("m1")
    await session.run("schema.drift", bin="/nowhere")
    assert session.outcomes == {"replayed": "unknown"} and "/nowhere" in session.found("replayed").evidence
    await session.run("schema.drift", timeout="1ms")
    assert session.outcomes == {"replayed": "unknown"} and "took longer" in session.found("replayed").evidence


def test_what_the_catalog_holds_stays_a_comment() -> None:
    odd = "x\nDROP TABLE t;\r\\! id"
    told = DriftTold(id=odd, title="", folder=odd, target=odd, sql=("COMMENT ON TABLE t IS 'a\n b'",), caution=odd)
    *comments, first, second = script_of(told).splitlines()
    assert len(comments) == 4 and all(line.startswith("-- ") for line in comments)
    assert f"{first}\n{second}" == f"{told.sql[0]};", "the SQL is as it was"


async def test_a_secret_in_the_schema_is_not_kept(tmp_path: Path) -> None:
    ctx = StepContext("postgresql://h/d", tmp_path)
    secret = DriftTold(
        id="a", title="", folder="'hunter2-hunter2'", target="none", caution="",
        sql=("ALTER TABLE t ALTER x SET DEFAULT 'hunter2-hunter2'",),
    )  # fmt: skip
    other = secret.model_copy(update={"id": "b", "target": "hunter2-hunter2", "sql": ("DROP TABLE b",)})
    found = _without_secrets(ctx, DriftStatus(differences=(secret, other)))
    kept = (ctx.folder / await _keep(ctx, found.differences)).read_text()
    assert "hunter2-hunter2" not in kept and "SET DEFAULT" not in kept, "psql would put in what stands in its place"
    assert "DROP TABLE b;" in kept and kept.count("«redacted:TOKEN»") == 3
