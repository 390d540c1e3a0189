"""Columns and constraints: what is found, in which words, and where nothing is said."""

import psycopg
import pytest

from migrations.impact.asked import asked_of
from migrations.impact.budgets import Budgets
from migrations.impact.reading import look_up
from migrations.impact.weigh import Scales
from migrations.rules import Finding, judge
from migrations.sql import read_script
from migrations.sql.volatility import STEADY, VOLATILE
from tests.migrations.pretended import grown

OURS = {
    *("add-column-volatile-default", "add-column-serial", "add-column-generated", "add-column-checked-domain"),
    *("add-column-not-null", "add-column-json", "add-column-references", "add-check-without-not-valid"),
    *("add-foreign-key", "constraint-without-index", "primary-key-using-nullable-index", "drop-foreign-key"),
    *(
        "foreign-key-without-index",
        "not-null-on-existing",
        "drop-not-null",
        "column-type-change",
        "column-type-overwrites",
        "column-drop",
    ),
    *("column-rename-as-drop-and-add", "column-recreated", "rename", "move-to-schema", "schema-rename"),
    *("constraint-rename",),
}


def found(text: str, *also: str) -> list[Finding]:
    return [finding for finding in judge(read_script(text), also) if finding.rule in OURS]


@pytest.mark.parametrize(
    "text",
    [
        # a default that all rows share is only noted down
        "ALTER TABLE t ADD c int DEFAULT 1 NOT NULL, ADD d timestamptz DEFAULT now() NOT NULL, ADD e text DEFAULT 'x'",
        "ALTER TABLE t ADD c date DEFAULT CURRENT_DATE, ADD d text DEFAULT upper('a') || 'b', ADD e jsonb DEFAULT '{}'",
        "ALTER TABLE t ADD c text DEFAULT to_char(now(), 'YYYY'), ADD d text[] DEFAULT ARRAY[]::text[]",
        "ALTER TABLE t ALTER c SET DEFAULT gen_random_uuid(); ALTER TABLE t ALTER c DROP DEFAULT",
        # nothing is stored
        "ALTER TABLE t ADD c int GENERATED ALWAYS AS (a + 1) VIRTUAL",
        # columns that fill themselves
        "ALTER TABLE t ADD c int NOT NULL DEFAULT 0",
        # a domain of which nothing is known, one that takes every value, an array of a checked one
        "ALTER TABLE t ADD c email",
        "CREATE DOMAIN email AS text; ALTER TABLE t ADD c email",
        "CREATE DOMAIN email AS text CHECK (VALUE ~ '@'); ALTER TABLE t ADD c email[]",
        # jsonb, and json in a new table
        "ALTER TABLE t ADD c jsonb",
        "CREATE TABLE t (c json); ALTER TABLE t ADD d json",
        # what the script makes is nobody's yet
        "CREATE TABLE t (c int); ALTER TABLE t ADD d serial, ADD e uuid DEFAULT gen_random_uuid() PRIMARY KEY, "
        "ADD f text NOT NULL, ADD g int REFERENCES o, ADD h int CHECK (h > 0) UNIQUE, ALTER c TYPE bigint",
        "CREATE TABLE public.t (c int); ALTER TABLE t ADD d serial, ADD UNIQUE (c), ADD CHECK (c > 0)",
        'CREATE TABLE "T" (c int); ALTER TABLE public."T" ALTER c SET NOT NULL, ALTER c DROP NOT NULL, ADD UNIQUE (c)',
        "SET search_path = s; CREATE TABLE t (c int); ALTER TABLE s.t ADD UNIQUE (c), ALTER c TYPE bigint",
        "CREATE TABLE t (c int); ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME CONSTRAINT a TO b",
        "CREATE TABLE t (c int); ALTER TABLE t SET SCHEMA s; ALTER TABLE s.t ADD UNIQUE (c)",
        "CREATE SCHEMA s; ALTER SCHEMA s RENAME TO s2",
        "CREATE TEMP TABLE t (c int); ALTER TABLE t ALTER c SET NOT NULL, ADD UNIQUE (c)",
        "CREATE TABLE t (c int); ALTER TABLE t DROP CONSTRAINT t_c_fkey, DROP c",
        # checked later, or not at all
        "ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0) NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0) NOT ENFORCED",
        "ALTER TABLE t ADD c int CHECK (c > 0) NOT ENFORCED",
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT k NOT NULL c NOT VALID",
        # an index that is there already
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i",
        "ALTER TABLE t ADD CONSTRAINT p CHECK (a IS NOT NULL AND b IS NOT NULL) NOT VALID;"
        "ALTER TABLE t VALIDATE CONSTRAINT p;"
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a, b); ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX i",
        # dropped constraints that are no foreign key by their name, or that the script says more of
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t DROP CONSTRAINT t_c_key; ALTER TABLE t DROP CONSTRAINT k",
        "ALTER TABLE t DROP CONSTRAINT t_c_fkey;"
        "ALTER TABLE t ADD CONSTRAINT t_c_fkey FOREIGN KEY (c) REFERENCES o NOT VALID",
        # types that the script itself has given, and that the new ones hold
        "ALTER TABLE t ADD c varchar(10); ALTER TABLE t ALTER c TYPE varchar(20)",
        "ALTER TABLE t ADD c varchar(10); ALTER TABLE t ALTER c TYPE text",
        "ALTER TABLE t ADD c numeric(10,2); ALTER TABLE t ALTER c TYPE numeric(12,2)",
        "ALTER TABLE t ADD c numeric(10,2); ALTER TABLE t ALTER c TYPE numeric",
        "ALTER TABLE t ADD c int; ALTER TABLE t ALTER c TYPE integer",
        # the old name stays
        "ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u",
        "ALTER TABLE t SET SCHEMA s; CREATE VIEW t AS SELECT * FROM s.t",
        "ALTER TABLE t ADD c int; ALTER TABLE t RENAME c TO d",
        # names that nobody selects from
        "ALTER INDEX i RENAME TO j; ALTER SEQUENCE s RENAME TO s2; ALTER TYPE y RENAME TO z",
        "ALTER TYPE y SET SCHEMA s; ALTER FUNCTION f() SET SCHEMA s; ALTER SEQUENCE q SET SCHEMA s",
    ],
)
def test_nothing_is_said_of_what_hurts_nobody(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE t ADD c uuid DEFAULT uuid_generate_v4()", ["add-column-volatile-default"]),
        ("ALTER TABLE t ADD c text DEFAULT 'n-' || nextval('q')::text", ["add-column-volatile-default"]),
        ("ALTER TABLE t ADD c text DEFAULT nanoid()", ["add-column-volatile-default"]),
        ("CREATE DOMAIN d AS text DEFAULT nanoid(); ALTER TABLE t ADD c d", ["add-column-volatile-default"]),
        ("CREATE DOMAIN d AS text DEFAULT nanoid(); ALTER TABLE t ADD c d DEFAULT 'x', ADD e d[]", []),
        ("ALTER TABLE t ADD IF NOT EXISTS c smallserial", ["add-column-serial"]),
        ("ALTER TABLE ONLY t ADD c bigint GENERATED BY DEFAULT AS IDENTITY", ["add-column-serial"]),
        ("ALTER TABLE t ADD c int GENERATED ALWAYS AS (a * 2) STORED UNIQUE", ["add-column-generated"]),
        ("CREATE DOMAIN s.email AS text CHECK (false); ALTER TABLE t ADD c s.email", ["add-column-checked-domain"]),
        ("CREATE DOMAIN email AS text NOT NULL; ALTER TABLE t ADD c public.email", ["add-column-checked-domain"]),
        ('CREATE DOMAIN "E" AS text CHECK (VALUE <> \'\'); ALTER TABLE t ADD c "E"', ["add-column-checked-domain"]),
        ("ALTER TABLE t ADD c text NOT NULL, ADD d int NOT NULL, ADD e int", ["add-column-not-null"]),
        ("ALTER TABLE t ADD id uuid PRIMARY KEY", ["add-column-not-null"]),
        ("ALTER TABLE t ADD id serial PRIMARY KEY CHECK (id > 0)", ["add-column-serial"]),
        ("ALTER TABLE t ADD c json, ADD d json[]", ["add-column-json", "add-column-json"]),
        ("ALTER TABLE t ADD c int REFERENCES o", ["add-column-references"]),
        ("ALTER TABLE t ADD c int REFERENCES t", []),
        ("ALTER TABLE t ADD c int UNIQUE CHECK (c > 0)", ["add-check-without-not-valid", "constraint-without-index"]),
        ("ALTER TABLE t ADD PRIMARY KEY (a)", ["constraint-without-index"]),
        ("ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&)", ["constraint-without-index"]),
        ("ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX i", ["primary-key-using-nullable-index"]),
        ("ALTER TABLE t ALTER a SET NOT NULL, ALTER b SET NOT NULL", ["not-null-on-existing"]),
        ("ALTER TABLE t ADD CONSTRAINT k NOT NULL a", ["not-null-on-existing"]),
        ("ALTER TABLE t ALTER a DROP NOT NULL, ALTER b DROP NOT NULL", ["drop-not-null"]),
        ("ALTER TABLE t DROP CONSTRAINT t_a_fkey", ["drop-foreign-key"]),
        ("ALTER TABLE t DROP CONSTRAINT t_a_fkey; DROP TABLE t", []),
        ("ALTER TABLE t DROP CONSTRAINT t_a_fkey;"
         "ALTER TABLE t ADD CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES o", ["add-foreign-key"]),
        ("ALTER TABLE t ADD c varchar(20); ALTER TABLE t ALTER c TYPE varchar(10)", ["column-type-change"]),
        ("ALTER TABLE t ADD c numeric(10,2); ALTER TABLE t ALTER c TYPE numeric(12,3)", ["column-type-change"]),
        ("ALTER TABLE t ALTER c TYPE text, ALTER d TYPE text", ["column-type-change"]),
        ("ALTER TABLE t ALTER c TYPE text USING NULL", ["column-type-overwrites"]),
        ("ALTER TABLE t ALTER c TYPE text USING lower(d)", ["column-type-overwrites"]),
        ("ALTER TABLE t ALTER c TYPE text USING lower(t.c)", ["column-type-change"]),
        ("ALTER TABLE t ALTER c TYPE text USING row_to_json(t)::text", ["column-type-change"]),
        ("ALTER TABLE t ALTER c TYPE text USING (t.*)::text", ["column-type-change"]),
        ("ALTER TABLE t ADD c int; ALTER TABLE t ALTER c TYPE text USING ''", ["column-type-change"]),
        ("ALTER TABLE t RENAME TO u", ["rename"]),
        ("ALTER TABLE t RENAME c TO d", ["rename"]),
        ("ALTER VIEW v RENAME TO w", ["rename"]),
        ("ALTER MATERIALIZED VIEW m RENAME TO n", ["rename"]),
        ("ALTER TABLE t RENAME TO u; CREATE VIEW s.t AS SELECT * FROM u", ["rename"]),
        ("ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t", ["rename", "rename"]),
        ("ALTER TABLE t SET SCHEMA s", ["move-to-schema"]),
        ("ALTER VIEW v SET SCHEMA s", ["move-to-schema"]),
        ("ALTER SCHEMA s RENAME TO s2", ["schema-rename"]),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b; ALTER TABLE t RENAME CONSTRAINT c TO d", ["constraint-rename"]),
        ("ALTER TABLE t DROP a, DROP b", ["column-drop"]),
        ("ALTER TABLE t DROP a, ADD a int", ["column-recreated"]),
        ("ALTER TABLE t DROP a, DROP b, ADD a int", ["column-drop", "column-recreated"]),
        ("ALTER TABLE t DROP a, ADD a int; UPDATE t SET a = 1 WHERE b", ["column-drop"]),
    ],
)  # fmt: skip
def test_what_is_found(text: str, expected: list[str]) -> None:
    assert sorted(finding.rule for finding in found(text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALTER TABLE t ADD c uuid DEFAULT gen_random_uuid()", "gen_random_uuid() gives each row a value of its own"),
        ("ALTER TABLE t ADD c text DEFAULT nanoid()", "unless nanoid() is declared stable or immutable"),
        ("ALTER TABLE t ADD c int REFERENCES \"user\"", 'nor write to "user", while this waits'),
        ("ALTER TABLE t ADD c int DEFAULT 1 REFERENCES o", "until every row is checked against o"),
        ("ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES t", "nobody can write to t until"),
        ("ALTER TABLE t ALTER c TYPE text", "unless that makes a varchar longer, or text of it, nobody"),
        ("ALTER TABLE t ALTER c TYPE timestamptz(3)", "time zone is UTC, nobody"),
        ("ALTER TABLE t ALTER c TYPE bigint", "changes c to bigint: nobody can"),
        ("ALTER TABLE t ALTER c TYPE text, ALTER d TYPE bigint", "changes c to text and d to bigint: nobody can"),
        ("ALTER TABLE t ALTER c TYPE text, ALTER d TYPE numeric", "unless each of these keeps the values as they are"),
        ("ALTER TABLE t RENAME c TO c_old; ALTER TABLE t ADD c int", "will find another column c of t"),
        ("ALTER TABLE t RENAME TO old; CREATE TABLE t (c int)", "will find another table t"),
        ("ALTER TABLE t RENAME TO old; CREATE TABLE u (c int); ALTER TABLE u RENAME TO t", "will find another table t"),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b; ALTER TABLE u RENAME CONSTRAINT a TO d", "(and 1 more in this"),
        ("ALTER TABLE t DROP a, DROP b CASCADE", "drops columns a, b of t with all their values, and what depends on"),
    ],
)  # fmt: skip
def test_the_words_say_what_is_known(text: str, words: str) -> None:
    (finding,) = found(text)
    assert words in finding.message


def test_a_foreign_key_that_looks_up_nothing_is_only_worth_a_note() -> None:
    (brief,) = found("ALTER TABLE t ADD c int REFERENCES o")
    (checks,) = found("ALTER TABLE t ADD c int DEFAULT 1 REFERENCES o")
    assert (brief.severity, checks.severity) == ("note", "warn")


def test_dropped_columns_are_paired_with_those_that_look_like_them() -> None:
    text = 'ALTER TABLE t DROP "createdAt", DROP "updatedAt", DROP legacy, ADD updated_at text, ADD created_at text'
    offers = {finding.subject: finding.safer_sql for finding in found(text)}
    assert offers == {
        "t.legacy": "",
        "t.createdAt": 'ALTER TABLE t RENAME COLUMN "createdAt" TO created_at;',
        "t.updatedAt": 'ALTER TABLE t RENAME COLUMN "updatedAt" TO updated_at;',
    }


def test_hundreds_of_dropped_columns_are_paired_at_once() -> None:
    parts = ", ".join(f"DROP old_{n}, ADD new_{n} int" for n in range(300))
    assert len(found(f"ALTER TABLE t {parts}")) == 300


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE t (c int REFERENCES o)", ["t.c"]),
        ("CREATE TABLE t (c int REFERENCES o PRIMARY KEY)", []),
        ("CREATE TABLE t (c int UNIQUE, FOREIGN KEY (c) REFERENCES o)", []),
        ("CREATE TABLE t (a int, c int, PRIMARY KEY (a, c), FOREIGN KEY (c) REFERENCES o)", ["t.c"]),
        ("CREATE TABLE t (a int, c int, PRIMARY KEY (a, c), FOREIGN KEY (c, a) REFERENCES o)", []),
        ("CREATE TABLE t (c int REFERENCES o); CREATE INDEX ON t (c, b)", []),
        ("CREATE TABLE t (c int REFERENCES o); CREATE INDEX ON t (c) WHERE c > 1", ["t.c"]),
        ("ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o NOT VALID", ["t.c"]),
        ("CREATE INDEX CONCURRENTLY i ON t (c); ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES o NOT VALID", []),
    ],
)
def test_foreign_keys_without_an_index_are_a_matter_of_taste(text: str, expected: list[str]) -> None:
    code = "foreign-key-without-index"
    assert [finding.subject for finding in found(text, code) if finding.rule == code] == expected
    assert code not in {finding.rule for finding in found(text)}


OTHER = "CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int, d int); "
LARGE = "COMMENT ON TABLE t IS 'large'; "
KEY = "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o NOT VALID"


@pytest.mark.parametrize(
    ("setup", "text", "expected"),
    [
        (OTHER + KEY, "ALTER TABLE t DROP CONSTRAINT k", "drop-foreign-key"),
        (OTHER + KEY, "ALTER TABLE t DROP CONSTRAINT k; DROP TABLE t", None),
        (OTHER + "ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0)", "ALTER TABLE t DROP CONSTRAINT k", None),
        (OTHER + LARGE, KEY, "foreign-key-without-index"),
        (OTHER, KEY, None),
        (OTHER + LARGE + "CREATE INDEX i ON t (c, d)", KEY, None),
        (OTHER + LARGE + "CREATE INDEX i ON t (c) WHERE d > 0", KEY, "foreign-key-without-index"),
        (OTHER + LARGE, "CREATE INDEX CONCURRENTLY i ON t (c); " + KEY, None),
        (OTHER + "CREATE DOMAIN e AS text CHECK (VALUE > '')", "ALTER TABLE t ADD x e", "add-column-checked-domain"),
        (OTHER + "CREATE DOMAIN e AS text", "ALTER TABLE t ADD x e", None),
        (OTHER + "CREATE DOMAIN e AS text CHECK (VALUE > '')", "ALTER TABLE t ADD x e[]", None),
        (OTHER + "CREATE DOMAIN e AS text CHECK (VALUE > '')", "CREATE TABLE n (); ALTER TABLE n ADD x e", None),
    ],
)
async def test_what_only_the_target_can_tell(setup: str, text: str, expected: str | None, database: str) -> None:
    script = read_script(text)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(setup.encode())
        if "large" in setup:
            await grown(connection, "t", gigabytes=1, rows=10**7)
        known = await look_up(connection, asked_of([script]))
    live = [finding for finding in Scales(Budgets(), known).weigh(script, judge(script)).findings if finding.live]
    assert [finding.rule for finding in live if finding.rule in OURS] == ([expected] if expected else [])


def test_the_server_agrees_on_what_is_volatile(database: str) -> None:
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT proname, bool_or(provolatile = 'v'), bool_and(provolatile = 'v') FROM pg_proc "
            "WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1"
        ).fetchall()
    some = {name for name, some, _ in rows if some}
    none = {name for name, some, _ in rows if not some}
    assert not STEADY & some
    assert not VOLATILE & none
    assert len(STEADY & none) > 100
    assert not STEADY & VOLATILE
