"""A plan and its hash: what moves the hash, and what must not."""

import hashlib
import json
from pathlib import Path

import pytest

from migrations.folder import Migration
from migrations.plan import Plan
from runbooks import events as e
from runbooks.planning import make_plan
from runbooks.project import Environment, Project
from runbooks.runbook import PHASES, Phase, Runbook, Step

TARGET = e.Target(
    address="orders@db-1.prod:5432",
    system_identifier="7330000000000000001",
    database="orders",
    oid="16384",
    in_recovery=False,
    postmaster_start="2026-01-01T00:00:00Z",
    timeline="00000001",
    server_version="15.8",
)
ENVIRONMENTS = {
    "production": Environment(name="production", protected=True),
    "staging": Environment(name="staging"),
}


def migration(text: str | None, name: str = "20260101000000_one") -> Migration:
    return Migration(name, Path(name), None if text is None else text.encode())


def plan(
    *pending: Migration,
    environment: str = "staging",
    target: e.Target = TARGET,
    book: str = "aa",
    project: str = "bb",
    steps: tuple[Step, ...] = (),
    first_run: bool = False,
    mark: str | None = None,
) -> e.PlanMade:
    phases = tuple(Phase(name=n, title=n, steps=steps if n == "migrate" else ()) for n in PHASES)
    return make_plan(
        Project(name="shop", folder=Path(), sha256=project, migrations=Path(), environments=ENVIRONMENTS),
        ENVIRONMENTS[environment],
        Runbook(name="book", sha256=book, phases=phases),
        Plan(pending=pending),
        target,
        first_run=first_run,
        mark=mark,
    )


def step(uses: str, **params: str) -> Step:
    return Step(id="step", title="Step", uses=uses, effect="target", params=dict(params))


ADD = migration("ALTER TABLE t ADD c int")


def test_the_hash_is_over_what_is_written_down() -> None:
    drop = migration("DROP TABLE t; DROP TABLE u")
    covered = {
        "scripts": [
            {
                "name": drop.name,
                "sha256": drop.checksum,
                "model": "transaction",
                "findings": [["table-drop", 0], ["table-drop", 1]],
            }
        ],
        "system_identifier": "7330000000000000001",
        "database": "orders",
        "runbook": "aa",
        "project": "bb",
        "engine": "native",
    }
    canonical = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    assert plan(drop).hash == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        plan(),
        plan(ADD, migration("SELECT 1", "20260102000000_two")),
        plan(migration("ALTER TABLE t ADD c int ")),
        plan(migration("ALTER TABLE t ADD c int", "20260101000000_renamed")),
        plan(ADD, target=TARGET.model_copy(update={"database": "other"})),
        plan(ADD, target=TARGET.model_copy(update={"system_identifier": "1"})),
        plan(ADD, book="ab"),
        plan(ADD, project="ba"),
        plan(ADD, steps=(step("migrations.apply", engine="prisma"),)),
    ],
)
def test_another_plan_has_another_hash(other: e.PlanMade) -> None:
    assert other.hash != plan(ADD).hash


def test_what_moves_by_itself_is_not_in_the_hash() -> None:
    moved = {"address": "elsewhere", "oid": "1", "timeline": "2", "server_version": "16.1", "postmaster_start": "now"}
    same = plan(ADD, target=TARGET.model_copy(update=moved), first_run=True, mark="production")
    assert same.hash == plan(ADD).hash


def test_each_condition_names_what_is_behind_it() -> None:
    made = plan(
        migration("ALTER TABLE t ADD c int;\nDROP TABLE u;\nALTER TABLE t ALTER b TYPE bigint"),
        migration("ALTER ROLE app PASSWORD 'hunter2'", "20260102000000_two"),
        environment="production",
        first_run=True,
        steps=(step("backfill.run"),),
    )
    assert set(made.conditions) == {"destructive", "blocking", "rewrite", "backfill", "protected", "first_run"}
    (destructive,) = made.conditions["destructive"]
    assert destructive.startswith("20260101000000_one, line 2: drops table u")
    assert made.conditions["blocking"][0].startswith("20260102000000_two, line 1")
    (rewrite,) = made.conditions["rewrite"]
    assert rewrite.startswith("20260101000000_one, line 3: writes t anew under ACCESS EXCLUSIVE")
    assert "hunter2" not in made.model_dump_json()


def test_a_harmless_plan_has_no_condition_and_an_empty_one_no_script() -> None:
    assert plan(ADD).conditions == {}
    assert (plan().scripts, plan().conditions) == ((), {})


def test_the_databases_own_mark_protects_as_well() -> None:
    assert plan(mark="production").protected
    assert not plan(mark="staging").protected
    assert not plan(mark="unheard of").protected


@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "no migration.sql"), (b"\xef\xbb\xbfSELECT 1", "BOM"), (b"SELECT '\xff'", "not UTF-8")],
)
def test_a_file_that_cannot_be_run_stays_in_the_plan_as_refused(data: bytes | None, words: str) -> None:
    (script,) = plan(Migration("one", Path("one"), data)).scripts
    assert script.model == "refused"
    assert words in script.model_words
    assert (script.sha256 == "") == (data is None)


def test_spans_of_statements_are_those_of_the_text() -> None:
    text = "-- ä\nALTER TABLE t ADD c int;\n\nDROP TABLE u;"
    (script,) = plan(migration(text)).scripts
    assert [text[s.start : s.end] for s in script.statements] == ["ALTER TABLE t ADD c int", "DROP TABLE u"]
    assert [(s.line, s.summary) for s in script.statements] == [(2, "add column c integer to t"), (4, "drop table u")]
