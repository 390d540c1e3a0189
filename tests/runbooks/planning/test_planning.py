"""A plan and its hash: what moves the hash, and what must not."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from migrations.folder import Migration
from migrations.impact.budgets import Budgets
from migrations.impact.estimate import Span
from migrations.impact.known import Index, Known, Relation
from migrations.impact.settle import Settled
from migrations.impact.weigh import Held, Scales
from migrations.locks import Lock
from migrations.plan import Plan
from migrations.rules import Finding, judge
from migrations.sql import Name, read_script
from runbooks.journal.records import ZEROS, encode
from runbooks.planning.plan_told import Room
from runbooks.planning.planning import make_plan
from runbooks.session import events as e
from runbooks.session.runbook import CONDITIONS, PHASES, Phase, Runbook, Step
from runbooks.settings.project import Environment, Project, Review
from tests.runbooks.conftest import the_plan

TARGET = the_plan().target
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
    known: Known | None = None,
    runner: e.Runner | None = None,
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
        known=known,
        runner=runner,
    )


def prisma(version: str, command: str = "npm run deploy", way: str = "prisma-7.3") -> e.Runner:
    return e.Runner.model_validate({"command": command, "version": version, "why": "package-lock.json", "way": way})


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
                "verify": "",
                "findings": [["table-drop", 0], ["table-drop", 1]],
            }
        ],
        "system_identifier": "7330000000000000001",
        "database": "orders",
        "runbook": "aa",
        "project": "bb",
        "engine": "native",
        "model": "safe",
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
        plan(replace(ADD, verify=b"SELECT true")),
        plan(replace(ADD, rollback=b"SELECT 1")),
        plan(replace(ADD, rollback_text=b"by hand")),
        plan(ADD, target=TARGET.model_copy(update={"database": "other"})),
        plan(ADD, target=TARGET.model_copy(update={"system_identifier": "1"})),
        plan(ADD, book="ab"),
        plan(ADD, project="ba"),
        plan(ADD, steps=(step("migrations.apply", engine="prisma"),)),
        plan(ADD, steps=(step("migrations.apply", model="prisma-7.3"),)),
        plan(ADD, steps=(step("migrations.apply", model="prisma-7.4"),)),
    ],
)
def test_another_plan_has_another_hash(other: e.PlanMade) -> None:
    assert other.hash != plan(ADD).hash


def test_the_team_s_own_command_and_its_version_are_in_the_hash_and_say_how_scripts_are_run() -> None:
    runners = (None, prisma("6.19.3"), prisma("6.19.2"), prisma("6.19.3", "npx prisma"))
    plans = [plan(ADD, ADD, runner=runner) for runner in runners]
    assert len({made.hash for made in plans}) == len(plans)
    several = migration("ALTER TABLE t ADD c int;\nALTER TABLE t ADD d int")
    later = plan(several, runner=prisma("7.4.0", way="prisma-7.4"))
    assert [plan(several, runner=runners[1]).scripts[0].model, later.scripts[0].model] == ["batch", "split"]
    assert later.runner == prisma("7.4.0", way="prisma-7.4")


def test_the_plan_says_how_each_script_is_run_what_a_failure_keeps_and_what_prisma_would_do() -> None:
    several = migration("ALTER TABLE t ADD c int;\nCREATE INDEX CONCURRENTLY i ON t (c)")
    (safe,) = plan(several).scripts
    assert (safe.model, safe.kept.partition(":")[0]) == ("pieces", "each statement is committed by itself")
    assert safe.prisma.startswith("Prisma up to 7.3 stops at line 2")
    (one,) = plan(several, steps=(step("migrations.apply", model="prisma-7.3"),)).scripts
    assert (one.model, one.kept) == ("batch", "")
    assert "it will stop at line 2" in one.model_words


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
        steps=(step("shell").model_copy(update={"id": "backfill-tiers"}),),
    )
    assert set(made.conditions) == {"destructive", "blocking", "rewrite", "backfill", "protected", "first_run"}
    (destructive,) = made.conditions["destructive"]
    assert destructive.startswith("20260101000000_one, line 2: drops table u")
    assert made.conditions["blocking"][0].startswith("20260102000000_two, line 1")
    (rewrite,) = made.conditions["rewrite"]
    assert rewrite.startswith("20260101000000_one, line 3: writes t anew under ACCESS EXCLUSIVE")
    assert made.conditions["backfill"] == ("the runbook has the step backfill-tiers",)
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


def target_with(*relations: Relation, **more: object) -> Known:
    names = {n: relation for relation in relations for n in (relation.name, Name(None, relation.name.name))}
    return Known(relations=names, **more)  # type: ignore[arg-type]


def orders(rows: int = 40_000_000, heap: int = 3 * 10**9) -> Relation:
    return Relation(
        Name("public", "orders"), "table", rows=rows, heap=heap, indexes=(Index("orders_pkey", ("id",), unique=True),)
    )


INDEX = migration("CREATE INDEX ON orders (c);\nDO $$ BEGIN EXECUTE 'x'; END $$")


def test_statements_say_what_they_lock_and_the_plan_how_large_that_is() -> None:
    made = plan(INDEX, known=target_with(orders(), missing=("it was busy",)))
    (script,) = made.scripts
    first, second = script.statements
    assert first.touches == (
        e.Touch(relation="orders", lock="SHARE", blocks="writes", work="build", least=15_000_200, most=None),
    )
    assert (second.analysed, bool(second.why_not), second.touches) == (False, True, ())
    assert made.tables == (e.Table(name="orders", rows=40_000_000, bytes=3 * 10**9, words=("1 index, 0 bytes",)),)
    assert made.unread == ("it was busy",)
    assert made.conditions["blocking"][0].startswith("20260101000000_one, line 1: nobody can write to orders")


def test_who_changes_rows_keeps_others_from_the_same_ones() -> None:
    made = plan(migration("UPDATE orders SET c = 1 WHERE c = 2"), known=target_with(orders()))
    (touch,) = made.scripts[0].statements[0].touches
    assert (touch.lock, touch.blocks, touch.work) == ("ROW EXCLUSIVE", "writes of the same rows", "data")


def test_what_the_target_holds_moves_severities_and_conditions_but_not_the_hash() -> None:
    large, small, none = (
        plan(INDEX, known=known) for known in (target_with(orders()), target_with(orders(40, 8192)), None)
    )
    assert [made.scripts[0].findings[0].severity for made in (large, small, none)] == ["stop", "warn", "warn"]
    assert ["blocking" in made.conditions for made in (large, small, none)] == [True, False, False]
    assert len({made.hash for made in (large, small, none)}) == 1


def test_what_only_the_target_shows_is_not_in_the_hash() -> None:
    text = migration("ALTER TABLE orders ADD COLUMN d int")
    published = replace(orders(), publications=("few",))
    live, none = (plan(text, known=target_with(one, slots=("s",))) for one in (published, orders()))
    assert [(f.rule, f.live) for f in live.scripts[0].findings] == [("published-table-change", True)]
    assert not none.scripts[0].findings
    assert live.hash == none.hash


@pytest.mark.parametrize(("known", "holds"), [(orders(), True), (orders(0, 0), False)], ids=["large", "empty"])
def test_only_a_table_with_rows_is_written_anew(known: Relation, holds: bool) -> None:
    text = "CREATE TABLE n (c int); ALTER TABLE n ALTER c TYPE bigint; ALTER TABLE orders ALTER c TYPE bigint"
    conditions = plan(migration(text), known=target_with(known)).conditions
    assert [words.partition(": ")[2][:18] for words in conditions.get("rewrite", ())] == ["writes orders anew"] * holds


def test_what_is_allowed_blocks_nothing_but_loses_what_it_loses() -> None:
    allow = "-- gonogo: allow {} because nobody is at work then\n{};"
    index = migration(allow.format("index-without-concurrently", "CREATE INDEX ON orders (c)"))
    drop = migration(allow.format("table-drop", "DROP TABLE orders"), "20260102000000_two")
    made = plan(index, drop, known=target_with(orders()))
    assert [f.allowed for script in made.scripts for f in script.findings] == ["nobody is at work then"] * 2
    assert (set(made.conditions), len(made.conditions["destructive"])) == ({"destructive"}, 1)


def test_taste_is_judged_where_the_project_asks_for_it() -> None:
    text = migration("ALTER TABLE orders ADD c int")
    rule = "no-lock-timeout"
    project = Project(
        name="shop", folder=Path(), sha256="", migrations=Path(), environments={}, review=Review(also=(rule,))
    )
    book = Runbook(name="book", phases=tuple(Phase(name=n, title=n) for n in PHASES))
    made = make_plan(project, ENVIRONMENTS["staging"], book, Plan(pending=(text,)), TARGET, first_run=False, mark=None)
    assert rule in {finding.rule for finding in made.scripts[0].findings}
    assert rule not in {finding.rule for finding in plan(text).scripts[0].findings}


def test_a_plan_has_an_end_however_much_there_is_to_say() -> None:
    """Past the bounds statements are told as one, findings by their number; the same for the same text."""
    text = "".join(f"DROP TABLE t{n};\n" for n in range(50)) + "TRUNCATE a;" + "SELECT 1;" * 50
    script = read_script(text)
    weighed = Scales(Budgets(), None).weigh(script, judge(script))
    room = Room(statements=60, findings=12, of_rule=10, touches=5)
    statements = room.statements_told(script.statements, weighed.held)
    assert (len(statements), statements[-1].summary) == (61, "41 more statements")
    assert text[statements[-1].start : statements[-1].end].startswith("SELECT 1;SELECT 1")
    assert sum(len(one.touches) for one in statements[:5]) == 5
    findings = room.findings_told(weighed.findings, len(statements))
    assert [(f.rule, f.statement) for f in findings] == [
        *(("table-drop", n) for n in range(11)),
        ("truncate", 50),
    ]
    assert findings[10].message == "and 40 more findings of this rule from here on"
    assert findings[10].loses_data and findings[10].severity == "stop"
    again = room.findings_told(weighed.findings, 20)
    assert [(f.rule, f.statement, f.message) for f in again] == [
        ("table-drop", 0, "drops table t0 and all its rows"),
        ("table-drop", 1, "and 50 more findings from here on"),
    ]


@pytest.mark.soak
def test_the_largest_plan_fits_into_a_record() -> None:
    """Every bound reached at once, with four bytes to a character."""
    wide = "\U0001f600"
    room, name = Room(), wide * 63
    (statement,) = read_script("CREATE INDEX ON t (c)").statements
    held = (Held(Settled(name, Lock.SHARE, "build"), Span(10**9, 10**12)),) * 21
    finding = Finding("x" * 40, "stop", 0, 1, wide * 2000, tables=(name,), instead=wide * 300, safer_sql=wide * 500)
    statements = [replace(statement, index=n, start=10**6, end=10**6, summary=wide * 80) for n in range(70_000)]
    found = [replace(finding, rule=f"{finding.rule}{n % 60}", statement=n, live=n % 5 == 0) for n in range(30_000)]
    relation = replace(orders(), indexes=tuple(Index(name, ()) for _ in range(50)))
    relations = [replace(relation, name=Name(str(n), name), visible=False) for n in range(2_000)]
    told = room.statements_told(statements, [held] * len(statements))
    made = plan().model_copy(
        update={
            "scripts": (
                e.Script(
                    migration=name,
                    sha256="",
                    size=0,
                    model="transaction",
                    statements=tuple(told),
                    findings=tuple(room.findings_told(found, len(told))),
                ),
            ),
            "tables": room.tables_told(relations, None),
            "conditions": dict.fromkeys(CONDITIONS, (wide * 600,) * 100),
        }
    )
    line, _ = encode(1, "2026-01-31T02:03:04.000000Z", made, ZEROS)
    assert len(line) < 60_000_000
    assert (len(told), len(made.tables)) == (50_001, 1_000)


def test_what_a_verify_sql_claims_stands_in_the_plan() -> None:
    beside = replace(ADD, verify=b"SELECT true;\nSELECT count(*) = 0 FROM t;")
    (script,) = plan(beside).scripts
    assert script.verify is not None and script.verify.sha256 == hashlib.sha256(beside.verify or b"").hexdigest()
    assert [(claim.line, claim.text) for claim in script.verify.claims] == [
        (1, "SELECT true"),
        (2, "SELECT count(*) = 0 FROM t"),
    ]
    (wrong,) = plan(replace(ADD, verify=b"SELECT true;\nDELETE FROM t")).scripts
    assert wrong.verify is not None and wrong.verify.wrong[0].startswith("line 2: only a SELECT")
    many = b"SELECT true;" * 2001
    (cut,) = plan(replace(ADD, verify=many)).scripts
    assert cut.verify is not None and (len(cut.verify.claims), cut.verify.more) == (2000, 1)


def test_what_undoes_a_script_is_judged_with_it_and_is_no_condition_of_the_session() -> None:
    undone = replace(ADD, rollback=b"ALTER TABLE t DROP COLUMN c;", rollback_text="drop it \u00e9".encode())
    made = plan(undone)
    back = made.scripts[0].rollback
    assert back is not None and back.script is not None and back.wrong == ()
    assert (back.text, back.text_sha256) == ("drop it \u00e9", hashlib.sha256(undone.rollback_text or b"").hexdigest())
    assert back.script.migration == f"{ADD.name}/rollback.sql" and back.script.loses_data
    assert made.to_review == (made.scripts[0], back.script) and "destructive" not in made.conditions
    judged = {plan(replace(ADD, rollback=sql)).hash for sql in (b"DROP TABLE t", b"SELECT 1")}
    assert len(judged | {made.hash, plan(replace(ADD, rollback=undone.rollback)).hash}) == 4


@pytest.mark.parametrize(
    "sql, text, wrong",
    [
        (b"SELEC", None, "rollback.sql: it cannot be read: syntax error"),
        (b"-- later", None, "rollback.sql: there is no statement in it"),
        (b"SELECT 1 \xff", None, "rollback.sql: not UTF-8"),
        (None, b" \n", "rollback.md: it is empty"),
        (None, b"x" * 65537, "rollback.md: it is longer than 64 kB"),
        (None, b"\xff\xfe", "rollback.md: not UTF-8"),
    ],
)
def test_what_cannot_undo_anything_is_said(sql: bytes | None, text: bytes | None, wrong: str) -> None:
    back = plan(replace(ADD, rollback=sql, rollback_text=text)).scripts[0].rollback
    assert back is not None and len(back.wrong) == 1 and back.wrong[0].startswith(wrong)
    assert back.text == ""
