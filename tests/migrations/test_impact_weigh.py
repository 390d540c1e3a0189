"""How bad findings are on a target of a given size, and how long its tables are locked."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from migrations.impact.asked import asked_of
from migrations.impact.budgets import Budgets
from migrations.impact.estimate import Span, span
from migrations.impact.known import Column, Index, Key, Known, KnownType, Relation, Type
from migrations.impact.reading import look_up
from migrations.impact.weigh import Scales, Weighed
from migrations.impact.words import span_text
from migrations.rules import Finding, judge
from migrations.sql import read_script
from migrations.sql.names import Name
from tests.migrations.pretended import grown

GB = 10**9
SECOND = 10**6


def table(name: str = "t", *, rows: int | None = 40_000_000, heap: int = 3 * GB, **more: Any) -> Relation:
    columns = more.pop("columns", (Column("c", Type(Name("pg_catalog", "int4"))),))
    return Relation(Name("public", name), "table", rows=rows, heap=heap, columns=columns, **more)


LOSSES = ("table-drop", "column-drop", "truncate")
LARGE = table()
SMALL = table(rows=40, heap=8192)
EMPTY = table(rows=None, heap=0)


def known(*relations: Relation, **more: Any) -> Known:
    by_name = {name: relation for relation in relations for name in (relation.name, Name(None, relation.name.name))}
    return Known(relations=by_name, **more)


def weigh(text: str, target: Known | None, *earlier: str, budgets: Budgets | None = None) -> Weighed:
    scales = Scales(budgets or Budgets(), target)
    for one in earlier:
        scales.weigh(read_script(one), ())
    script = read_script(text)
    return scales.weigh(script, judge(script))


def found(weighed: Weighed, rule: str) -> Finding:
    return next(finding for finding in weighed.findings if finding.rule == rule)


def locks(weighed: Weighed) -> list[list[tuple[str, str, str]]]:
    return [[(held.what.shown, held.what.lock.value, held.what.work) for held in each] for each in weighed.held]


@pytest.mark.parametrize(
    ("target", "severity", "words"),
    [
        (LARGE, "stop", "t has 40 million rows, 3 GB: 15 s to 3.3 min, guessed from the size, not rehearsed"),
        (table(rows=5_000_000, heap=350_000_000), "warn", "1.8 s to 23 s"),
        (SMALL, "note", "t has 40 rows, 8.2 kB: up to 5.5 ms, guessed"),
        (EMPTY, "note", "t is empty"),
        (table(rows=None, heap=8192), "note", "t was never analysed, 8.2 kB"),
        (None, "warn", "until the whole index is built"),
    ],
    ids=["large", "middling", "small", "empty", "never analysed", "not there"],
)
def test_the_size_decides_how_bad_a_lock_is(target: Relation | None, severity: str, words: str) -> None:
    weighed = weigh("CREATE INDEX ON t (c)", known(target) if target else known())
    finding = found(weighed, "index-without-concurrently")
    assert finding.severity == severity
    assert words in finding.message


def test_without_a_target_findings_stay_as_the_rules_have_them() -> None:
    text = "CREATE INDEX ON t (c); ALTER TABLE t DROP COLUMN d; REINDEX INDEX i; DROP TYPE y CASCADE"
    weighed = weigh(text, None)
    assert weighed.findings == judge(read_script(text))
    assert [shown for each in locks(weighed) for shown, _, _ in each] == [
        *("t", "t", "i", "the table of i", "all tables that use type y")
    ]
    assert {held.span.most for each in weighed.held for held in each if held.what.work != "brief"} == {None}


@pytest.mark.parametrize("target", [EMPTY, SMALL, LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("text", ["DROP TABLE t", "ALTER TABLE t DROP COLUMN c", "TRUNCATE t", "DELETE FROM t"])
def test_what_loses_data_is_a_stop_whatever_the_size(text: str, target: Relation) -> None:
    finding = next(finding for finding in weigh(text, known(target)).findings if finding.loses_data)
    assert finding.severity == "stop"


@pytest.mark.parametrize(("target", "severity"), [(EMPTY, "note"), (SMALL, "stop"), (table(rows=None), "warn")])
def test_what_rows_make_fail_is_a_stop_where_there_are_some(target: Relation, severity: str) -> None:
    assert (
        found(weigh("ALTER TABLE t ADD COLUMN d int NOT NULL", known(target)), "add-column-not-null").severity
        == severity
    )


@pytest.mark.parametrize("target", [None, known(table("other"))], ids=["no target", "a target"])
def test_what_an_earlier_script_makes_is_nobodys(target: Known | None) -> None:
    made = "CREATE TABLE u (id int PRIMARY KEY, old int)"
    text = "CREATE INDEX ON u (id); ALTER TABLE u DROP COLUMN old; DROP TABLE u"
    weighed = weigh(text, target, made)
    assert {(finding.severity, finding.loses_data) for finding in weighed.findings} == {("note", False)}
    assert not any(weighed.held)
    assert found(weigh(text, target), "table-drop").severity == "stop", "without the earlier script"


@pytest.mark.parametrize(("target", "severity"), [(None, "stop"), (known(LARGE), "stop"), (known(), "note")])
@pytest.mark.parametrize("made", ["t (c int)", "t AS SELECT 1 AS c"])
def test_if_not_exists_makes_nothing_of_what_may_be_there(made: str, target: Known | None, severity: str) -> None:
    weighed = weigh("DROP TABLE t", target, f"CREATE TABLE IF NOT EXISTS {made}")
    assert found(weighed, "table-drop").severity == severity


@pytest.mark.parametrize(
    ("earlier", "text", "severity"),
    [
        ("CREATE TABLE old AS SELECT * FROM t", "DROP TABLE old", "stop"),
        ("CREATE TABLE old (c int); INSERT INTO old SELECT c FROM t", "ALTER TABLE old DROP COLUMN c", "stop"),
        ("CREATE TABLE x AS SELECT * FROM t; ALTER TABLE x RENAME TO old", "DROP TABLE old", "stop"),
        ("CREATE TABLE x AS TABLE t; CREATE TABLE old AS TABLE x", "TRUNCATE old", "stop"),
        ("CREATE TABLE old (LIKE t); INSERT INTO old VALUES (1)", "DROP TABLE old", "note"),
        ("CREATE TABLE x (c int); CREATE TABLE old AS TABLE x", "DROP TABLE old", "note"),
        ("CREATE TABLE x (LIKE t); DROP TABLE t; ALTER TABLE x RENAME TO t", "ALTER TABLE t DROP COLUMN c", "stop"),
    ],
)
def test_rows_that_an_earlier_script_moved_can_be_lost(earlier: str, text: str, severity: str) -> None:
    (finding,) = [one for one in weigh(text, known(LARGE), earlier).findings if one.rule in LOSSES]
    assert (finding.severity, finding.loses_data) == (severity, severity == "stop")


def test_a_table_that_an_earlier_script_renames_is_still_that_table() -> None:
    weighed = weigh("CREATE INDEX ON u (d)", known(LARGE), "ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME c TO d")
    assert found(weighed, "index-without-concurrently").severity == "stop"
    assert locks(weighed) == [[("t", "SHARE", "build")]]


@pytest.mark.parametrize(
    ("text", "target", "rule"),
    [
        (
            "ALTER TABLE t ALTER c SET NOT NULL",
            table(columns=(Column("c", Type(Name("pg_catalog", "int4")), never_null=True),)),
            "not-null-on-existing",
        ),
        (
            "ALTER TABLE t ALTER c TYPE varchar(50)",
            table(columns=(Column("c", Type(Name("pg_catalog", "varchar"), (20,))),)),
            "column-type-change",
        ),
        (
            "ALTER TABLE t ADD d int DEFAULT calm()",
            table(),
            "add-column-volatile-default",
        ),
    ],
)
def test_what_the_target_knows_to_be_quick_is_a_note(text: str, target: Relation, rule: str) -> None:
    varchar = KnownType(Name("pg_catalog", "varchar"), "base")
    types = {Name(None, "varchar"): varchar, varchar.name: varchar}
    weighed = weigh(text, known(target, functions={"calm": "stable"}, types=types))
    assert (found(weighed, rule).severity, weighed.held[0][0].what.work) == ("note", "brief")
    slow = weigh(text, known(table(), functions={"calm": "volatile"}, types=types))
    assert (found(slow, rule).severity, slow.held[0][0].what.work != "brief") == ("stop", True)


@pytest.mark.parametrize(("indexed", "work"), [(("c",), "build"), (("d",), "brief")])
def test_another_collation_builds_the_indexes_of_the_column_anew(indexed: tuple[str, ...], work: str) -> None:
    text = Name("pg_catalog", "text")
    target = table(columns=(Column("c", Type(text)),), indexes=(Index("i", indexed),))
    types = {Name(None, "text"): KnownType(text, "base"), text: KnownType(text, "base")}
    weighed = weigh('ALTER TABLE t ALTER c TYPE text COLLATE "C"', known(target, types=types))
    assert weighed.held[0][0].what.work == work


def test_a_lock_is_held_until_its_transaction_ends() -> None:
    """The scan of VALIDATE counts for the lock of what stands before it, in the same transaction and in no other."""
    add = "ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0) NOT VALID;"
    validate = "ALTER TABLE t VALIDATE CONSTRAINT k;"
    scan = span("scan", LARGE)
    together = weigh(add + validate, known(LARGE))
    assert together.held[0][0].span == span("brief", LARGE) + scan
    assert found(together, "validate-in-same-transaction").severity == "stop"
    apart = weigh(f"BEGIN; {add} COMMIT; BEGIN; {validate} COMMIT", known(LARGE))
    assert apart.held[1][0].span.most < SECOND
    assert apart.held[4][0].span.least > SECOND
    alone = weigh("CREATE INDEX CONCURRENTLY i ON t (c); ALTER TABLE t ADD d int", known(LARGE))
    assert alone.held[1][0].span == span("brief", LARGE)


def test_what_follows_without_an_end_in_sight_leaves_the_rules_own_severity() -> None:
    weighed = weigh("CREATE INDEX ON t (c); SELECT wait_for_it()", known(SMALL))
    assert (found(weighed, "index-without-concurrently").severity, weighed.held[0][0].span.most) == ("warn", None)


def test_partners_partitions_and_the_tables_of_indexes_and_types() -> None:
    o = table("o", keys_in=(Key("k", ("id",), Name("public", "t")),))
    t = table(keys_out=(Key("k", ("o_id",), Name("public", "o")),), indexes=(Index("i", ("c",)),))
    i = Relation(Name("public", "i"), "index", heap=GB, table=Name("public", "t"))
    mood = KnownType(Name("public", "mood"), "enum", users=(Name("public", "o"), Name("public", "t")))
    target = known(o, t, i, types={Name(None, "mood"): mood})
    exclusive = "ACCESS EXCLUSIVE"
    assert locks(
        weigh(
            "DROP TABLE t; DROP INDEX i; REINDEX TABLE o; DROP TYPE mood CASCADE",
            target,
        )
    ) == [
        [("t", exclusive, "brief"), ("o", exclusive, "brief")],
        [("i", exclusive, "brief"), ("t", exclusive, "brief")],
        [("o", "SHARE", "build"), ("the indexes of o", exclusive, "build")],
        [("o", exclusive, "brief"), ("t", exclusive, "brief")],
    ]


def test_a_rule_about_a_domain_is_weighed_by_the_tables_that_use_it() -> None:
    text = "ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0)"
    for user, severity in ((table(heap=30 * GB), "stop"), (SMALL, "note")):
        domain = KnownType(Name("public", "d"), "domain", users=(user.name,))
        weighed = weigh(text, known(user, types={Name(None, "d"): domain}))
        assert locks(weighed) == [[("t", "SHARE", "scan")]]
        assert found(weighed, "domain-constraint-without-not-valid").severity == severity


@pytest.mark.parametrize(("column", "work"), [("d", "rewrite"), ("d DEFAULT NULL", "brief"), ("d[]", "brief")])
def test_a_domain_may_fill_every_row(column: str, work: str) -> None:
    domain = KnownType(Name("public", "d"), "domain", volatile=True)
    weighed = weigh(f"ALTER TABLE t ADD COLUMN e {column}", known(LARGE, types={Name(None, "d"): domain}))
    assert locks(weighed) == [[("t", "ACCESS EXCLUSIVE", work)]]
    severities = [(one.rule, one.severity) for one in weighed.findings]
    assert severities == [("add-column-volatile-default", "stop")] * (work == "rewrite")


def test_what_is_locked_by_an_earlier_statement_is_weighed_too() -> None:
    text = "ALTER TABLE u ADD COLUMN d int; UPDATE t SET c = 1 WHERE c > 2"
    finding = found(weigh(text, known(table("u", rows=40, heap=8192), SMALL)), "work-under-exclusive-lock")
    assert (finding.severity, "u has 40 rows" in finding.message) == ("note", True)
    assert found(weigh(text, known(table("u"), LARGE)), "work-under-exclusive-lock").severity == "warn"


def test_only_the_partitioned_table_itself_is_quick() -> None:
    p = Relation(Name("public", "t"), "partitioned table", rows=40_000_000, heap=3 * GB, partitions=12)
    assert found(weigh("CREATE INDEX ON t (c)", known(p)), "index-without-concurrently").severity == "stop"
    assert weigh("CREATE INDEX ON ONLY t (c)", known(p)).held[0][0].what.work == "brief"
    add = weigh("ALTER TABLE t ADD COLUMN d int", known(p)).held[0][0].span
    assert add.most == 13 * (span("brief", None).most or 0), "each partition is altered, too"


@pytest.mark.parametrize(
    "change", ["ALTER c SET NOT NULL", "ADD d uuid DEFAULT gen_random_uuid()", "ALTER c TYPE bigint"]
)
def test_a_foreign_table_has_no_rows_to_read_or_rewrite(change: str) -> None:
    far = Relation(Name("public", "t"), "foreign table")
    (held,) = weigh(f"ALTER TABLE t {change}", known(far)).held[0]
    assert held.what.work == "brief" and "another server" in held.what.spared
    assert weigh("UPDATE t SET c = 1", known(far)).held[0][0].span.most is None


def test_a_foreign_key_of_a_table_without_rows_looks_nothing_up() -> None:
    key = "ALTER TABLE n ADD FOREIGN KEY (c) REFERENCES t"
    assert locks(weigh(f"CREATE TABLE n (c int); {key}", known(LARGE)))[1] == [("t", "SHARE ROW EXCLUSIVE", "brief")]
    assert locks(weigh(f"CREATE TABLE n AS SELECT 1 AS c; {key}", known(LARGE)))[1][-1][2] == "scan"
    assert found(weigh(key, known(LARGE, table("n", heap=0))), "add-foreign-key").severity == "note"
    assert found(weigh(key, known(LARGE, table("n"))), "add-foreign-key").severity in ("stop", "warn")


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("UPDATE t SET c = 1", 200, 8000),
        ("UPDATE t SET c = 1 WHERE c = 2", 0, 8000),
        ("INSERT INTO t VALUES (1), (2)", 0, 1),
        ("INSERT INTO t SELECT 1", 0, None),
        ("COPY t FROM '/tmp/x'", 0, None),
    ],
)
def test_changes_of_rows_take_as_long_as_there_are_rows(text: str, least: int, most: int | None) -> None:
    (held,) = weigh(text, known(LARGE)).held[0]
    assert held.span.least // SECOND == least
    assert (held.span.most if held.span.most is None else held.span.most // SECOND) == (0 if most == 1 else most)


def test_budgets_move_the_verdict() -> None:
    text, target = "CREATE INDEX ON t (c)", known(table(rows=5_000_000, heap=350_000_000))
    patient, strict = Budgets(writes=60 * SECOND), Budgets(writes=SECOND)
    assert found(weigh(text, target, budgets=patient), "index-without-concurrently").severity == "note"
    assert found(weigh(text, target, budgets=strict), "index-without-concurrently").severity == "stop"
    assert Budgets(reads=5 * SECOND, writes=SECOND).limit("reads and writes") == SECOND
    assert Budgets().limit("DDL") is None


def test_spans_in_words() -> None:
    assert span_text(Span(26 * SECOND, 240 * SECOND)) == "26 s to 4 min"
    assert span_text(Span(200, 5000)) == "up to 5 ms"
    assert span_text(Span(12 * SECOND, None)) == "at least 12 s"
    assert span_text(Span(0, None)) == ""


@pytest.fixture
async def connection(database: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True, prepare_threshold=None) as connection:
        yield connection


async def test_forty_rows_and_forty_million_on_a_real_server(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute("CREATE TABLE t (c int); INSERT INTO t SELECT generate_series(1, 40); ANALYZE t")
    script = read_script("CREATE INDEX ON t (c)")
    verdicts = []
    for _ in range(2):
        target = await look_up(connection, asked_of([script]))
        (finding,) = Scales(Budgets(), target).weigh(script, judge(script)).findings
        verdicts.append((finding.severity, finding.message.partition("; ")[2].partition(":")[0]))
        await grown(connection, "t", gigabytes=3, rows=40_000_000)
    assert verdicts == [("note", "t has 40 rows, 8.2 kB"), ("stop", "t has 40 million rows, 3.2 GB")]


@pytest.mark.parametrize(
    ("before", "work"),
    [
        ("SET LOCAL timezone = 'UTC'", "brief"),
        ("BEGIN; SET LOCAL timezone = 'UTC'; COMMIT", "rewrite"),
        ("SET timezone = 'UTC'; BEGIN; SET LOCAL timezone = 'Asia/Tokyo'; COMMIT", "brief"),
        ("SET timezone = 'UTC'; RESET ALL", "rewrite"),
    ],
)
def test_a_time_zone_of_a_transaction_ends_with_it(before: str, work: str) -> None:
    stamped = table(columns=(Column("c", Type(Name("pg_catalog", "timestamp"))),))
    types = {Name(None, "timestamptz"): KnownType(Name("pg_catalog", "timestamptz"), "base")}
    weighed = weigh(f"{before}; ALTER TABLE t ALTER c TYPE timestamptz", known(stamped, utc=False, types=types))
    assert [held.what.work for held in weighed.held[-1]] == [work]
