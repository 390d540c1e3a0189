"""Scripts of every kind that PostgreSQL takes: cut where the server cuts, which makes the same of the pieces."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from migrations.rules import judge
from migrations.server import ThrowawayServer
from migrations.sql import execution_model, read_script

Rows = list[tuple[object, ...]]
Connection = psycopg.Connection[tuple[object, ...]]

CATALOG = """
SELECT 'relation', oid::regclass::text, relkind::text || relpersistence::text || coalesce(reloptions::text, '')
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 't'
UNION ALL SELECT 'column', attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod) || attnotnull
  || attidentity::text || attgenerated::text || coalesce(pg_get_expr(adbin, adrelid), '')
  FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum JOIN pg_class c ON c.oid = attrelid
  WHERE relnamespace = 'public'::regnamespace AND attnum > 0
UNION ALL SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc
  WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
UNION ALL SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'rule', rulename, pg_get_ruledef(oid) FROM pg_rewrite WHERE oid >= 16384
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'policy', polname, pg_get_expr(polqual, polrelid) FROM pg_policy
UNION ALL SELECT 'comment', (pg_identify_object(classoid, objoid, objsubid)).identity, description
  FROM pg_description WHERE objoid >= 16384
UNION ALL SELECT 'value', enumlabel, enumtypid::regtype::text FROM pg_enum
UNION ALL SELECT 'operator', oprname, oprcode::text FROM pg_operator WHERE oprnamespace = 'public'::regnamespace
ORDER BY 1, 2, 3
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"

KINDS = {
    "atomic": (4, """
        CREATE TABLE t (a int);
        CREATE FUNCTION one(x int DEFAULT 1) RETURNS int BEGIN ATOMIC; SELECT CASE WHEN x = 1 THEN 2 ELSE x END; ; END;
        CREATE PROCEDURE many() LANGUAGE SQL BEGIN ATOMIC INSERT INTO t VALUES (1); DELETE FROM t WHERE a = 2; END;
        CREATE FUNCTION two() RETURNS int RETURN (SELECT CASE one() WHEN 2 THEN 3 END)
    """),
    "case in case": (2, """
        CREATE FUNCTION f(begin int, "end" int) RETURNS int BEGIN ATOMIC
          SELECT CASE WHEN begin > 1 THEN CASE begin WHEN 2 THEN 1 END ELSE (SELECT CASE WHEN true THEN 1 END) END; END;
        CREATE VIEW v AS SELECT f(2, 1) AS "end;"
    """),
    "comments": (3, """-- a; /* b
        /* c; /* d; -- e */ ; ' " $$ */ CREATE TABLE t (a int /* ; */, -- ;
        b int); --;
        /**/CREATE/*;*/VIEW/**/v/* ; */AS SELECT 1 - -1 /* - */ - 2 AS "b/*"--/* no; more
        FROM t;;
        COMMENT ON TABLE t IS '--/*;' /* the end */"""),
    "strings": (3, r"""
        CREATE TABLE t (a text);
        INSERT INTO t VALUES ('it''s;'), (E'it\'s;\\'), (E'\n;'), ('a;'
          'b'), (U&'d\0061t\+000061;'), (U&'d!0061;' UESCAPE '!'),
          ('\'), (N'n;'), (B'1'::text), (X'1F'::text), (E''';');
        INSERT INTO t VALUES ($$;$$), ($a$;$$;$b$;$a$), ($ü$ ' ; $ü$), ('$$'), ('$a$') , ($_1$;$_1$), ('--'), ('/*')
    """),
    "names": (4, r"""
        CREATE TABLE "t;1.x" ("a""b;" int, "--" int, "/*" int, "ünï𝒳" int, größe int, U&"d\0061t!" int, a$1 int);
        INSERT INTO public."t;1.x" ("a""b;", größe, a$1) VALUES (1, 2, 3);
        CREATE VIEW "$$" AS SELECT a$1, "--" FROM "t;1.x" AS "ein tisch";
        ALTER TABLE "t;1.x" RENAME U&"d!0061t!0021" UESCAPE '!' TO "end;"
    """),
    "operators": (4, """
        CREATE FUNCTION f(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1';
        CREATE OPERATOR @#@ (LEFTARG = int, RIGHTARG = int, FUNCTION = f);
        CREATE VIEW v AS SELECT 1@#@2 AS a, 1 @#@-- ; x
          2 AS b, 1@#@/*;*/3 AS c, '{"a": 1}'::jsonb->>'a' AS d, '{}'::jsonb #>> '{;}' AS e, 'a' ~* 'b;' AS f,
          'a'::tsvector@@'b'::tsquery AS g, '[1,2)'::int4range&&'[2,3)' AS h, 2^ -1 AS i, 5<>-5 AS j;
        COMMENT ON OPERATOR @#@ (int, int) IS ';'
    """),
    "rules": (5, """
        CREATE TABLE t (a int); CREATE TABLE log (a int, what text);
        CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO log VALUES (new.a, ';'); INSERT INTO log VALUES (1, ')'););
        INSERT INTO t VALUES (1);
        CREATE RULE none AS ON DELETE TO t DO INSTEAD NOTHING
    """),
    "code": (4, """
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ DECLARE x text := $$;$$; BEGIN IF x = ';' THEN
          EXECUTE 'SELECT 1;'; END IF; RETURN new; END; $f$;
        CREATE TABLE t (a int);
        CREATE TRIGGER g BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW WHEN (new.a > 0) EXECUTE FUNCTION f();
        DO LANGUAGE plpgsql 'BEGIN INSERT INTO t VALUES (1); END'
    """),
    "line ends": (3, "CREATE TABLE t (a int);\r\nINSERT INTO t\r\nVALUES (1);\r\nCOMMENT ON TABLE t IS 'a\r\n'"),
    "old line ends": (2, "CREATE TABLE t (a int); -- x\rINSERT INTO t VALUES (1);\r"),
    "spaces": (2, "\fCREATE\tTABLE\n\nt\f(a\fint)\n\t;\f;CREATE VIEW v AS SELECT 1 AS\u00a0a\u2003b\n"),
    "empty": (0, ""),
    "nothing": (0, " ;; -- ;\n /* ; */ ;\r\n;"),
    "merge": (3, """
        CREATE TABLE t (a int PRIMARY KEY, b text); CREATE TABLE s (a int, b text);
        MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b = ';' THEN DELETE WHEN MATCHED THEN UPDATE SET b = s.b
          WHEN NOT MATCHED THEN INSERT VALUES (s.a, s.b)
    """),
    "settings": (5, r"""
        SET standard_conforming_strings = on; SET search_path = public, "a;b"; CREATE TABLE t (a text);
        INSERT INTO t VALUES ('\;'); RESET ALL
    """),
    "of all sorts": (8, """
        CREATE TYPE mood AS ENUM ('so;so', 'it''s'); CREATE DOMAIN d AS int CHECK (VALUE > 0) DEFAULT 1;
        CREATE TABLE t (a d, b mood, c int GENERATED ALWAYS AS IDENTITY (START 2), EXCLUDE USING btree (a WITH =));
        CREATE UNIQUE INDEX ON t (a, (c + 1)) WHERE a > 1; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON t USING (b = 'so;so'); CREATE SEQUENCE s OWNED BY t.a; GRANT SELECT ON t TO PUBLIC
    """),
    "partitions": (4, """
        CREATE TABLE t (a int, b text DEFAULT 'x;') PARTITION BY LIST (a);
        CREATE TABLE u PARTITION OF t FOR VALUES IN (1);
        CREATE TABLE w (LIKE t INCLUDING ALL); ALTER TABLE t ATTACH PARTITION w DEFAULT
    """),
    "queries": (3, """
        CREATE TABLE t (a int);
        WITH x AS (INSERT INTO t VALUES (1), (2) RETURNING a) SELECT count(*) FILTER (WHERE a > 1),
          sum(a) OVER (ORDER BY count(*) ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM x GROUP BY a;
        TABLE t UNION ALL (VALUES (3) EXCEPT SELECT 4) ORDER BY 1 FETCH FIRST ROW WITH TIES
    """),
}  # fmt: skip
SINCE = {
    16: {
        "one more space": (1, "\v;CREATE TABLE t (a\vint)\v"),
        "numbers": (2, "CREATE TABLE t (a int8); INSERT INTO t VALUES (1_000), (0x1F), (0o17), (0b11)"),
    },
    17: {
        "json table": (2, """
            CREATE VIEW v AS SELECT * FROM JSON_TABLE('[{"a;": 1}]', '$[*]'
              COLUMNS (a int PATH '$."a;"', n FOR ORDINALITY));
            CREATE VIEW w AS SELECT JSON_VALUE('{"a": ";"}', '$.a' RETURNING text DEFAULT ';' ON EMPTY) AS a
        """),
    },
    18: {
        "newest": (4, """
            CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL, CONSTRAINT k CHECK (a > 0) NOT ENFORCED);
            CREATE TABLE p (id int4range, valid daterange, UNIQUE (id, valid WITHOUT OVERLAPS));
            ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID; INSERT INTO t VALUES (1) RETURNING old.a, new.b
        """),
    },
}  # fmt: skip
ALL = {name: (13, *kind) for name, kind in KINDS.items()}
ALL |= {name: (since, *kind) for since, kinds in SINCE.items() for name, kind in kinds.items()}

REFUSED = [
    "SELECT 1;\nSELECT 'ü', \"𝒳\" FORM x",
    "\ufeffSELECT 1",
    "SELECT 1;\r\n\\connect other\r\nSELECT 2",
    "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\tä\n\\.\n",
    "CREATE TABLE t (a int);;\nALTER TABLE t ADD COLUMN {{ name }} int",
    "SELECT 1; SELECT 'never ended;\n",
    'SELECT 1; SELECT "never ended;\n',
    "SELECT 'ü'; SELECT $a$ never ended; $$",
    "SELECT 1; /* a /* b */ never ended",
    r"SELECT 'it\'s'; DROP TABLE t; --'",
    r"SELECT U&'\00g0'",
    "SELECT 1\u00a0;\u00a0SELECT 2",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2",
    "DROP TABLE a; SELECT 1 DROP TABLE b",
    "ALTER TABLE t ADD COLUMN a int,\n",
]
NEWER = ["ALTER TABLE t MERGE PARTITIONS (a, b) INTO c", "SELECT a FROM t GROUP BY ALL", "REPACK t"]


@pytest.fixture(scope="module")
def connection(server: ThrowawayServer) -> Iterator[Connection]:
    """What is done through it is taken back."""
    with psycopg.connect(server.url()) as connection:
        yield connection


@pytest.mark.parametrize("kind", ALL)
def test_the_pieces_make_what_the_whole_makes(kind: str, connection: Connection) -> None:
    since, count, text = ALL[kind]
    script = read_script(text)
    assert (script.error, len(script.statements)) == (None, count)
    assert [s.line for s in script.statements] == [text.count("\n", 0, s.start) + 1 for s in script.statements]
    if connection.info.server_version // 10_000 < since:
        pytest.skip(f"PostgreSQL {since} has it")
    assert made(connection, *(s.text for s in script.statements)) == made(connection, text)


@pytest.mark.parametrize("kind", ALL)
def test_all_of_it_is_looked_into(kind: str) -> None:
    script = read_script(ALL[kind][2])
    assert [statement.why_not for statement in script.statements if not statement.analysed] == []
    assert "not-analysed" not in {finding.rule for finding in judge(script)}
    assert execution_model(script).kind != "refused"


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_server_refuses_is_refused_where_it_does(text: str, connection: Connection) -> None:
    with pytest.raises(psycopg.errors.SyntaxError) as refused, connection.transaction():
        connection.execute(text.encode())
    script = read_script(text)
    assert script.error
    assert script.error.offset + 1 == int(refused.value.diag.statement_position or 0)


@pytest.mark.parametrize("statement", NEWER)
def test_what_is_newer_than_the_grammar_is_said_where_it_stands(statement: str) -> None:
    script = read_script(f"DROP TABLE a;\n{statement};\nDROP TABLE b")
    assert script.error and script.error.line == 2
    assert [(one.line, one.analysed) for one in script.statements] == [(1, True), (2, False), (3, True)]
    assert {finding.rule for finding in judge(script) if finding.line == 2} == {"not-analysed"}


def made(connection: Connection, *texts: str) -> Rows:
    """What the catalog and the tables hold after these."""
    with connection.transaction(force_rollback=True):
        for text in texts:
            connection.execute(text.encode())
        tables = [str(name) for (name,) in connection.execute(TABLES)]
        read = sql.SQL("SELECT t::text FROM public.{} t ORDER BY 1")
        rows = [row for name in tables for row in connection.execute(read.format(sql.Identifier(name)))]
        return [*connection.execute(CATALOG.encode()), *rows]
