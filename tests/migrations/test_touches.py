"""What a script touches, by the names of the target; what it made itself is nobody's."""

from typing import get_args

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgast import pg_query_pb2 as pb

from migrations.locks import Hinge, Lock, Through, Touch, touches_of
from migrations.locks.claims import claims
from migrations.locks.of_parts import HARSH, MINOR, OPTIONS, REWRITING, TRIGGERS
from migrations.locks.touches import LOCKLESS, MAKERS
from migrations.sql import Name, read_script
from migrations.sql.actions import Action, AlterTable
from migrations.sql.from_tables import alter_table

# What the server makes of other commands for its own use; no script can say it.
INTERNAL = ("re add ", "add index", "cooked ", "add column to view")


def told(text: str) -> list[set[str]]:
    """The touches of each statement, in short."""
    return [{short(touch) for touch in touches} for touches in touches_of(read_script(text))]


def short(touch: Touch) -> str:
    way = touch.through
    over = [*way.columns, way.constraint] if way else []
    words = [str(touch.relation), touch.lock.value, touch.work, way.kind if way else "", *over]
    return " ".join(word for word in words if word)


def test_it_is_known_of_every_action_what_it_locks() -> None:
    assert {*MAKERS, *LOCKLESS} == set(get_args(Action))
    assert not set(MAKERS) & set(LOCKLESS)


def test_it_is_known_of_every_part_of_alter_table_what_it_locks() -> None:
    known = {*TRIGGERS, *MINOR, *OPTIONS, *REWRITING, *HARSH}
    for name, number in pb.AlterTableType.items():
        stmt = pb.AlterTableStmt(relation=pb.RangeVar(relname="t"), objtype=pb.OBJECT_TABLE)
        stmt.cmds.append(pb.Node(alter_table_cmd=pb.AlterTableCmd(subtype=number)))
        (action,) = alter_table(stmt)
        internal = not number or any(words in getattr(action, "what", "") for words in INTERNAL)
        assert internal or type(action) is not AlterTable or action.what in known, name


T = "t ACCESS EXCLUSIVE brief"
DOWN = "t ACCESS EXCLUSIVE brief descendants"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE n (id int); ALTER TABLE n ADD c int; CREATE INDEX i ON n (c); DROP INDEX i; DROP TABLE n", []),
        ("CREATE TABLE IF NOT EXISTS n (id int); TRUNCATE n", ["n ACCESS EXCLUSIVE brief"]),
        ("DROP TABLE IF EXISTS n; CREATE TABLE IF NOT EXISTS n (id int); TRUNCATE n", ["n ACCESS EXCLUSIVE brief"]),
        ("DO $$ BEGIN CREATE TABLE n (id int); ALTER TABLE n RENAME TO m; END $$; DROP TABLE m", []),
        ("DO $$ BEGIN IF true THEN CREATE TABLE n (id int); END IF; ALTER TABLE n RENAME TO m; END $$; DROP TABLE m",
         ["n ACCESS EXCLUSIVE brief", "n ACCESS EXCLUSIVE brief"]),
        ("CREATE SCHEMA s CREATE TABLE a (id int) CREATE VIEW v AS SELECT * FROM a; CREATE INDEX ON s.a (id)", []),
        ("CREATE TEMP TABLE n AS SELECT 1; DELETE FROM n", []),
        ("CREATE TABLE n (id int); ALTER TABLE n RENAME TO m; ALTER TABLE m SET SCHEMA s; DROP TABLE s.m", []),
        ("CREATE VIEW v AS SELECT 1; ALTER VIEW v RENAME TO w; DROP VIEW w; COMMENT ON VIEW v IS 'x'",
         ["v SHARE UPDATE EXCLUSIVE brief"]),
        ("CREATE SCHEMA s; DROP SCHEMA s CASCADE", []),
        ("CREATE TYPE e AS ENUM ('a'); DROP TYPE e CASCADE", []),
        ("CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CHECK (true)", []),
        ("CREATE TABLE n (); DROP TABLE n; DROP TABLE n", ["n ACCESS EXCLUSIVE brief"]),
        ("DROP TABLE t; CREATE TABLE t (); ALTER TABLE t ADD c int", [T]),
        ("DROP TABLE t; CREATE TABLE t (); DROP TABLE t", [T]),
        ("SET search_path = s; CREATE TABLE n (); ALTER TABLE s.n ADD c int", []),
        ("CREATE TABLE n (id int, self int REFERENCES n)", []),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1; REFRESH MATERIALIZED VIEW m", []),
        ("CREATE STATISTICS st ON a, b FROM t; DROP STATISTICS st",
         ["t SHARE UPDATE EXCLUSIVE brief", "t SHARE UPDATE EXCLUSIVE brief"]),
    ],
)  # fmt: skip
def test_what_the_script_made_is_left_out(text: str, expected: list[str]) -> None:
    script = read_script(text)
    assert script.error is None
    direct = [touch for touches in touches_of(script) for touch in touches if touch.through is None]
    assert [short(touch) for touch in direct] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE t RENAME TO u; ALTER TABLE u SET SCHEMA s; ALTER TABLE ONLY s.u DROP COLUMN c",
         {T, "t ACCESS EXCLUSIVE brief referenced c"}),
        ("ALTER TABLE t RENAME c TO d; ALTER TABLE ONLY t DROP COLUMN d", {T, "t ACCESS EXCLUSIVE brief referenced c"}),
        ("ALTER TABLE t RENAME CONSTRAINT k TO l; ALTER TABLE ONLY t DROP CONSTRAINT l",
         {T, "t ACCESS EXCLUSIVE brief referenced k"}),
        ("ALTER SCHEMA s RENAME TO z; ALTER TABLE ONLY z.t ADD c int", {"s.t ACCESS EXCLUSIVE brief"}),
        ("CREATE TABLE s.n (); ALTER SCHEMA s RENAME TO z; DROP TABLE z.n", set()),
        ("CREATE INDEX i ON t (c); DROP INDEX i", {T}),
        ("ALTER TABLE t ADD CONSTRAINT k UNIQUE (c); DROP INDEX k", {T}),
        ("DROP INDEX s.i", {"s.i ACCESS EXCLUSIVE brief", "s.i ACCESS EXCLUSIVE brief table"}),
        ("CREATE TABLE n (o_id int REFERENCES t); DROP TABLE n", {T}),
        ("CREATE TABLE n (id int); ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES n; TRUNCATE n CASCADE", {T}),
        ("ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o NOT VALID; ALTER TABLE ONLY t DROP CONSTRAINT k",
         {T, "o ACCESS EXCLUSIVE brief"}),
        ("CREATE TABLE n (o_id int, CONSTRAINT k FOREIGN KEY (o_id) REFERENCES t); ALTER TABLE n DROP CONSTRAINT k; "
         "DROP TABLE n", set()),
        ("CREATE TABLE n PARTITION OF t FOR VALUES IN (1); DROP TABLE n", {T}),
        ("ALTER TABLE t ADD c int; ALTER TABLE ONLY t DROP c", {T}),
        ("CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s; DROP SCHEMA s CASCADE", {T}),
        ("CREATE TYPE e AS ENUM ('a'); ALTER TABLE t ADD c e; DROP TYPE e CASCADE", {T}),
        ("DELETE FROM ONLY t USING o WHERE id IN (SELECT id FROM q)",
         {"t ROW EXCLUSIVE data", "t ROW EXCLUSIVE data rows", "o ACCESS SHARE brief", "o ACCESS SHARE brief rows",
          "q ACCESS SHARE brief", "q ACCESS SHARE brief rows"}),
        ("ALTER TABLE t ALTER c SET STATISTICS 9, ADD CHECK (true) NOT VALID", {T, DOWN}),
        ("VACUUM", {'"" SHARE UPDATE EXCLUSIVE scan everything'}),
        ("selct 1", set()),
    ],
)  # fmt: skip
def test_touches_bear_the_names_of_the_target(text: str, expected: set[str]) -> None:
    assert told(text)[-1] == expected


@pytest.mark.parametrize(
    ("text", "work", "hinge"),
    [
        ("ALTER TABLE ONLY t ALTER c SET NOT NULL", "scan", Hinge("never null", "brief", ("c",))),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c IS NOT NULL); ALTER TABLE ONLY t ALTER c SET NOT NULL",
         "brief", None),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c IS NOT NULL) NOT VALID; ALTER TABLE ONLY t ALTER c SET NOT NULL",
         "scan", Hinge("never null", "brief", ("c",))),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c IS NOT NULL); ALTER TABLE t DROP CONSTRAINT p; "
         "ALTER TABLE ONLY t ALTER c SET NOT NULL", "scan", Hinge("never null", "brief", ("c",))),
        ("ALTER TABLE t ADD CHECK (c IS NOT NULL), ADD CHECK (c IS NOT NULL); "
         "ALTER TABLE t DROP CONSTRAINT t_c_check1; ALTER TABLE ONLY t ALTER c SET NOT NULL", "brief", None),
        ("ALTER TABLE t ADD CHECK (c IS NOT NULL), ADD CHECK (c IS NOT NULL); ALTER TABLE t DROP CONSTRAINT t_c_check; "
         "ALTER TABLE t DROP CONSTRAINT t_c_check1; ALTER TABLE ONLY t ALTER c SET NOT NULL", "scan",
         Hinge("never null", "brief", ("c",))),
        ("ALTER TABLE t ADD CONSTRAINT p CHECK (c IS NOT NULL) NOT VALID; ALTER TABLE t RENAME CONSTRAINT p TO q; "
         "ALTER TABLE t RENAME c TO d; ALTER TABLE t VALIDATE CONSTRAINT q; ALTER TABLE ONLY t ALTER d SET NOT NULL",
         "brief", None),
        ("ALTER TABLE t RENAME c TO d; ALTER TABLE ONLY t ALTER d SET NOT NULL", "scan",
         Hinge("never null", "brief", ("c",))),
        ("ALTER TABLE t ADD c int; ALTER TABLE ONLY t ALTER c SET NOT NULL", "scan", None),
        ("ALTER TABLE ONLY t ALTER c TYPE text", "rewrite", Hinge("kept type", "brief", ("c", "text"))),
        ("ALTER TABLE ONLY t ALTER c TYPE text USING c::text", "rewrite", Hinge("kept type", "brief", ("c", "text"))),
        ("ALTER TABLE ONLY t ALTER c TYPE text USING (c)", "rewrite", Hinge("kept type", "brief", ("c", "text"))),
        ("ALTER TABLE ONLY t ALTER c TYPE text USING lower(c)", "rewrite", None),
        ("ALTER TABLE ONLY t ALTER c TYPE e USING c::text::e", "rewrite", None),
        ("ALTER TABLE ONLY t ALTER c TYPE text COLLATE \"C\"", "rewrite", Hinge("kept type", "build", ("c", "text"))),
        ("ALTER TABLE ONLY t ADD c \"Mood\"[]", "brief", None),
        ("ALTER TABLE ONLY t ADD c \"Mood\"", "brief", Hinge("filling domain", "rewrite", ('"Mood"',))),
        ("ALTER TABLE ONLY t ADD c \"Mood\" DEFAULT 'ok'", "brief", Hinge("checked domain", "rewrite", ('"Mood"',))),
        ("CREATE DOMAIN d AS uuid DEFAULT gen_random_uuid(); ALTER TABLE ONLY t ADD c d", "rewrite", None),
        ("CREATE DOMAIN d AS uuid DEFAULT gen_random_uuid(); ALTER TABLE ONLY t ADD c d DEFAULT NULL", "brief", None),
        ("CREATE DOMAIN d AS date DEFAULT now(); ALTER TABLE ONLY t ADD c d", "brief", None),
        ("CREATE DOMAIN d AS int CHECK (value > 0); ALTER TABLE ONLY t ADD c d", "rewrite", None),
        ("CREATE DOMAIN d AS int; ALTER TABLE ONLY t ADD c d", "brief", None),
        ("CREATE TYPE d AS ENUM (); ALTER TABLE ONLY t ADD c d[]", "brief", None),
        ("ALTER TABLE ONLY t ADD c varchar(20)[] DEFAULT '{}'", "brief", None),
        ("ALTER TABLE ONLY t ADD c uuid DEFAULT app_id()", "rewrite", Hinge("not volatile", "brief", ("app_id",))),
        ("ALTER TABLE ONLY t ADD c uuid DEFAULT gen_random_uuid()", "rewrite", None),
        ("ALTER TABLE ONLY t ADD PRIMARY KEY USING INDEX i", "scan", Hinge("index never null", "brief", ("i",))),
        ("CREATE UNIQUE INDEX i ON t (c); ALTER TABLE ONLY t ADD PRIMARY KEY USING INDEX i", "scan",
         Hinge("never null", "brief", ("c",))),
        ("ALTER TABLE ONLY t VALIDATE CONSTRAINT k", "scan", Hinge("validated", "brief", ("k",))),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (true) NOT VALID; ALTER TABLE ONLY t VALIDATE CONSTRAINT k",
         "scan", None),
    ],
)  # fmt: skip
def test_what_the_work_hangs_on_is_said_unless_the_script_tells(text: str, work: str, hinge: Hinge | None) -> None:
    touch = next(touch for touch in touches_of(read_script(text))[-1] if touch.through is None)
    assert (touch.work, touch.hinge) == (work, hinge)


NEW = "CREATE TABLE n (id int, o_id int); "
KEY = "ALTER TABLE n ADD FOREIGN KEY (o_id) REFERENCES o"


@pytest.mark.parametrize(
    ("text", "work"),
    [
        (NEW + KEY, "brief"),
        (NEW + "INSERT INTO n SELECT i, i FROM generate_series(1, 1000) i; " + KEY, "scan"),
        ("CREATE TABLE n AS SELECT i AS id, i AS o_id FROM generate_series(1, 1000) i; " + KEY, "scan"),
        (NEW.replace(");", ") PARTITION BY LIST (id);") + "CREATE TABLE p PARTITION OF n DEFAULT; " + KEY, "brief"),
        (
            NEW.replace(");", ") PARTITION BY LIST (id);") + "CREATE TABLE p PARTITION OF n DEFAULT; "
            "INSERT INTO p SELECT i, i FROM generate_series(1, 1000) i; " + KEY,
            "scan",
        ),
    ],
)
def test_a_key_of_an_empty_table_asks_nothing_of_the_rows_elsewhere(text: str, work: str, database: str) -> None:
    last = touches_of(read_script(text))[-1]
    assert {touch.work for touch in last if touch.relation == Name(None, "o")} == {work}
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE o AS SELECT i AS id FROM generate_series(1, 1000) i")
        connection.execute("ALTER TABLE o ADD PRIMARY KEY (id)")
    with psycopg.connect(database) as connection:
        connection.execute(text.encode())
        rows = connection.execute(
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'o'"
        ).fetchone()
        connection.rollback()
    assert rows is not None and (rows[0] > 0) == (work == "scan")


def test_one_statement_holds_its_strongest_lock_for_all_that_it_does() -> None:
    (touches,) = touches_of(read_script("ALTER TABLE ONLY t VALIDATE CONSTRAINT k, ALTER c TYPE int, ADD d int"))
    assert {touch.lock for touch in touches if touch.through is None} == {Lock.ACCESS_EXCLUSIVE}
    rewrite = Touch(
        Name(None, "t"), Lock.ACCESS_EXCLUSIVE, "rewrite", hinge=Hinge("kept type", "brief", ("c", "integer"))
    )
    assert rewrite in touches
    referenced = [touch.through for touch in touches if touch.through and touch.through.kind == "referenced"]
    assert referenced == [Through("referenced", constraint="k"), Through("referenced", ("c",))]


WORDS = """
ALTER TABLE t s.t "T" ADD COLUMN c int DROP CASCADE RENAME TO u CREATE INDEX i ON ( ) , ; VIEW v AS SELECT * FROM TYPE e
SCHEMA s CONSTRAINT k FOREIGN KEY REFERENCES o CHECK NOT NULL VALID VALIDATE PARTITION OF SET TRUNCATE DELETE UPDATE
INSERT INTO VALUES 1 = WHERE TRIGGER DOMAIN d MATERIALIZED REINDEX VACUUM FULL BEGIN COMMIT ROLLBACK $$ DO IF EXISTS
""".split()  # noqa: SIM905


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS)).map(" ".join)))
def test_whatever_a_script_holds_there_are_touches_for_each_statement(text: str) -> None:
    script = read_script(text)
    assert len(touches_of(script)) == len(script.statements)


SAID = [part for _, claim in claims() for part in claim.sql.split(";")]


@given(st.lists(st.sampled_from(SAID), max_size=8))
def test_whatever_stands_together_there_are_touches_for_each_statement(parts: list[str]) -> None:
    script = read_script("; ".join(parts))
    assert len(touches_of(script)) == len(script.statements)
    for touch in (touch for touches in touches_of(script) for touch in touches):
        assert touch.lock in Lock
        assert touch.hinge is None or touch.hinge.work != touch.work


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t0 (c int); " + "".join(f"CREATE TABLE t{n + 1} () INHERITS (t{n}); " for n in range(2000)),
        "CREATE TABLE t0 (c int); CREATE TABLE t1 () INHERITS (t0); "
        "ALTER TABLE t0 ATTACH PARTITION t1 DEFAULT; ALTER TABLE t1 ATTACH PARTITION t0 DEFAULT; ",
    ],
    ids=["deep", "round"],
)
def test_tables_may_inherit_from_each_other_without_end(text: str) -> None:
    assert not touches_of(read_script(f"{text} ALTER TABLE t0 ALTER c SET NOT NULL"))[-1]
    last = touches_of(read_script(f"{text} ALTER TABLE t0 ADD FOREIGN KEY (c) REFERENCES o"))[-1]
    assert {touch.work for touch in last} == {"brief"}


def test_a_table_may_let_go_of_a_key_to_itself() -> None:
    text = "CREATE TABLE t (c int CONSTRAINT k REFERENCES t); ALTER TABLE t DROP CONSTRAINT k; DROP TABLE t"
    assert touches_of(read_script(text)) == ((), (), ())
