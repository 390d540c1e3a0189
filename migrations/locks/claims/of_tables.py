"""Claims about tables as a whole: dropped, emptied, renamed, described, written anew."""

from migrations.locks.claims.claim import Claim, Claims
from migrations.locks.lock import Lock

AE, EX, SRE = Lock.ACCESS_EXCLUSIVE, Lock.EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE
S, SUE, RE, RS = Lock.SHARE, Lock.SHARE_UPDATE_EXCLUSIVE, Lock.ROW_EXCLUSIVE, Lock.ROW_SHARE
T = {"t": AE}
PARTITIONS = {"pt": AE, "p1": AE, "p2": AE, "pd": AE}
FAMILY = {"t": AE, "child": AE, "grandchild": AE}

CLAIMS: Claims = {
    "DROP TABLE": (
        Claim("DROP TABLE grandchild", {"grandchild": AE, "child": AE}),
        Claim("DROP TABLE child", fails="2BP01"),
        Claim("DROP TABLE child CASCADE", FAMILY),
        Claim("DROP TABLE t CASCADE", {"t": AE, "o": AE, "child": AE, "vw": AE, "vv": AE}),
        Claim("DROP TABLE pt", PARTITIONS | {"o": AE}),
        Claim("DROP TABLE p1", {"pt": AE, "p1": AE, "pd": AE}),
        Claim("DROP TABLE heirs CASCADE", {"heirs": AE, "heir": AE}),
        Claim("DROP TABLE IF EXISTS nowhere"),
    ),
    "DROP VIEW, MATERIALIZED VIEW or SEQUENCE": (
        Claim("DROP VIEW vv", {"vv": AE}),
        Claim("DROP VIEW vw CASCADE", {"vw": AE, "vv": AE}),
        Claim("DROP MATERIALIZED VIEW mv", {"mv": AE}),
        Claim("DROP SEQUENCE seq"),
        Claim(
            "DROP SEQUENCE seq CASCADE",
            {"alone": AE},
            setup="ALTER TABLE alone ALTER id SET DEFAULT nextval('seq')",
        ),
    ),
    "DROP SCHEMA … CASCADE": (
        Claim(
            "DROP SCHEMA s2 CASCADE",
            {"s2.inside": AE, "outside": AE},
            setup="CREATE TABLE s2.inside (id int PRIMARY KEY); CREATE TABLE outside (id int REFERENCES s2.inside)",
        ),
        Claim("DROP SCHEMA s2"),
    ),
    "DROP OWNED, REASSIGN OWNED": (
        Claim("DROP OWNED BY keeper", {"alone": AE}, setup="ALTER TABLE alone OWNER TO keeper"),
        Claim(
            "REASSIGN OWNED BY keeper TO CURRENT_USER",
            {"alone": AE},
            setup="ALTER TABLE alone OWNER TO keeper",
        ),
    ),
    "TRUNCATE": (
        Claim("TRUNCATE alone", {"alone": AE}, shows="SELECT count(*) = 0 FROM alone"),
        Claim("TRUNCATE t", fails="0A000"),
        Claim("TRUNCATE pt", PARTITIONS),
        Claim("TRUNCATE p1", {"p1": AE}),
        Claim("TRUNCATE ONLY heirs", {"heirs": AE}),
    ),
    "TRUNCATE … CASCADE": (
        Claim("TRUNCATE t CASCADE", FAMILY, shows="SELECT count(*) = 0 FROM grandchild"),
        Claim("TRUNCATE o CASCADE", FAMILY | PARTITIONS | {"o": AE}),
    ),
    "DELETE or UPDATE without WHERE": (
        Claim("DELETE FROM alone", {"alone": RE}, scans=("alone",), shows="SELECT count(*) = 0 FROM alone"),
        Claim("UPDATE alone SET n = id", {"alone": RE}, scans=("alone",)),
        Claim("DELETE FROM t", fails="23503"),
        Claim("UPDATE vw SET c = 2", {"vw": RE, "t": RE}, scans=("t",)),
        Claim("UPDATE pt SET id = 1", {"pt": RE, "p1": RE, "p2": RE, "pd": RE}, scans=("p1", "p2", "pd")),
    ),
    "INSERT, UPDATE, DELETE, MERGE, COPY of some rows": (
        Claim("INSERT INTO grandchild VALUES (9, 1)", {"grandchild": RE, "child": RS}, scans=("child",)),
        Claim("INSERT INTO alone SELECT id + 100, NULL, id + 100 FROM vv", {"alone": RE}, scans=("t",)),
        Claim("DELETE FROM child WHERE id = 5", fails="23503"),
        Claim("DELETE FROM grandchild WHERE id = 5", {"grandchild": RE}, scans=("grandchild",)),
        Claim(
            "MERGE INTO alone USING o ON alone.id = o.id WHEN MATCHED THEN UPDATE SET j = j + 100",
            {"alone": RE},
            scans=("alone", "o"),
            since=15,
        ),
        Claim("COPY alone FROM '/dev/null'", {"alone": RE}),
        Claim("SELECT * FROM vv FOR UPDATE", {"t": RS, "vw": RS, "vv": RS}, scans=("t",)),
        Claim("SELECT count(*) FROM t", scans=("t",)),
    ),
    "MERGE … DELETE without a condition of its own": (
        Claim(
            "MERGE INTO alone USING o ON alone.id = o.id WHEN MATCHED THEN DELETE",
            {"alone": RE},
            scans=("alone", "o"),
            since=15,
        ),
        Claim(
            "MERGE INTO alone USING (SELECT id FROM o WHERE false) s ON alone.id = s.id"
            " WHEN NOT MATCHED BY SOURCE THEN DELETE",
            {"alone": RE},
            scans=("alone",),
            shows="SELECT count(*) = 0 FROM alone",
            since=17,
        ),
    ),
    "LOCK TABLE": (
        Claim("LOCK TABLE alone IN SHARE MODE", {"alone": S}),
        Claim("LOCK TABLE pt", PARTITIONS),
        Claim("LOCK TABLE ONLY pt IN EXCLUSIVE MODE", {"pt": EX}),
        Claim("LOCK TABLE vw IN EXCLUSIVE MODE", {"vw": EX, "t": EX}),
    ),
    "RENAME of a table, column or constraint; SET SCHEMA": (
        Claim("ALTER TABLE t RENAME TO z", T),
        Claim("ALTER TABLE t RENAME c TO z", T),
        Claim("ALTER TABLE t RENAME CONSTRAINT ck TO z", T),
        Claim("ALTER TABLE t SET SCHEMA s2", T),
        Claim("ALTER TABLE pt RENAME id TO z", PARTITIONS),
        Claim("ALTER TABLE pt RENAME TO z", {"pt": AE}),
        Claim("ALTER VIEW vw RENAME TO z", {"vw": AE}),
        Claim("ALTER VIEW vw RENAME COLUMN c TO z", {"vw": AE}),
        Claim("ALTER MATERIALIZED VIEW mv RENAME TO z", {"mv": AE}),
        Claim("ALTER MATERIALIZED VIEW mv SET SCHEMA s2", {"mv": AE}),
    ),
    "RENAME of a schema, type or function": (
        Claim("ALTER SCHEMA s2 RENAME TO s3"),
        Claim("ALTER TYPE mood RENAME TO z"),
        Claim("ALTER DOMAIN plain RENAME TO z"),
        Claim("ALTER FUNCTION f() RENAME TO z"),
    ),
    "OWNER TO": (
        Claim("ALTER TABLE t OWNER TO keeper", T),
        Claim("ALTER TABLE pt OWNER TO keeper", {"pt": AE}),
        Claim("ALTER VIEW vw OWNER TO keeper", {"vw": AE}),
    ),
    "SET STORAGE, SET COMPRESSION, REPLICA IDENTITY": (
        Claim("ALTER TABLE t ALTER v SET STORAGE EXTERNAL", T),
        Claim("ALTER TABLE pt ALTER id SET STORAGE PLAIN", PARTITIONS),
        Claim("ALTER TABLE t ALTER v SET COMPRESSION pglz", T, since=14),
        Claim("ALTER TABLE t REPLICA IDENTITY FULL", T),
        Claim("ALTER TABLE pt REPLICA IDENTITY FULL", {"pt": AE}),
    ),
    "Identity and generation of a column that is there": (
        Claim("ALTER TABLE alone ALTER j ADD GENERATED ALWAYS AS IDENTITY", {"alone": AE}),
        Claim(
            "ALTER TABLE alone ALTER g DROP EXPRESSION",
            {"alone": AE},
            setup="ALTER TABLE alone ADD COLUMN g int GENERATED ALWAYS AS (id + 1) STORED",
        ),
        Claim(
            "ALTER TABLE alone ALTER g SET EXPRESSION AS (id + 2)",
            {"alone": AE},
            setup="ALTER TABLE alone ADD COLUMN g int GENERATED ALWAYS AS (id + 1) STORED",
            scans=("alone",),
            rewrites=("alone",),
            since=17,
        ),
    ),
    "SET ACCESS METHOD, SET TABLESPACE": (
        Claim(
            "ALTER TABLE alone SET ACCESS METHOD other",
            {"alone": AE},
            setup="CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler",
            scans=("alone",),
            rewrites=("alone",),
            since=15,
        ),
        Claim("ALTER TABLE alone SET TABLESPACE pg_default", {"alone": AE}, milder=("alone",)),
    ),
    "SET LOGGED, SET UNLOGGED": (
        Claim("ALTER TABLE alone SET UNLOGGED", {"alone": AE}, scans=("alone",), rewrites=("alone",)),
        Claim(
            "ALTER TABLE alone SET LOGGED",
            {"alone": AE},
            setup="ALTER TABLE alone SET UNLOGGED",
            scans=("alone",),
            rewrites=("alone",),
        ),
    ),
    "CLUSTER": (
        Claim("CLUSTER t USING ti", T, scans=("t",), rewrites=("t",)),
        Claim("CLUSTER t", T, setup="ALTER TABLE t CLUSTER ON ti", scans=("t",), rewrites=("t",)),
    ),
    "VACUUM FULL": (
        Claim("VACUUM FULL alone", {"alone": AE}, holding="LOCK TABLE alone IN ACCESS SHARE MODE", rewrites=("alone",)),
        Claim("VACUUM FULL alone", fails="25001"),
    ),
    "VACUUM": (
        Claim("VACUUM alone", {"alone": SUE}, holding="LOCK TABLE alone IN SHARE UPDATE EXCLUSIVE MODE"),
    ),
    "REFRESH MATERIALIZED VIEW": (
        Claim("REFRESH MATERIALIZED VIEW mv", {"mv": AE}, scans=("mv", "o"), rewrites=("mv",)),
    ),
    "REFRESH MATERIALIZED VIEW CONCURRENTLY": (
        Claim("REFRESH MATERIALIZED VIEW CONCURRENTLY mv", {"mv": EX}, scans=("mv", "o")),
    ),
    "SET STATISTICS, storage parameters": (
        Claim("ALTER TABLE t ALTER c SET STATISTICS 100", {"t": SUE}),
        Claim("ALTER TABLE heirs ALTER a SET STATISTICS 5", {"heirs": SUE, "heir": SUE}),
        Claim("ALTER TABLE t ALTER c SET (n_distinct = 5)", {"t": SUE}),
        Claim("ALTER TABLE t SET (fillfactor = 50, autovacuum_enabled = false)", {"t": SUE}),
        Claim("ALTER TABLE t RESET (fillfactor)", {"t": SUE}),
        Claim("ALTER TABLE t CLUSTER ON ti", {"t": SUE}),
        Claim("ALTER MATERIALIZED VIEW mv SET (fillfactor = 50)", {"mv": SUE}),
    ),
    "The storage parameter user_catalog_table, options of a view": (
        Claim("ALTER TABLE t SET (user_catalog_table)", T),
        Claim("ALTER VIEW vw SET (security_barrier)", {"vw": AE}),
    ),
    "COMMENT ON": (
        Claim("COMMENT ON TABLE t IS 'x'", {"t": SUE}),
        Claim("COMMENT ON COLUMN t.c IS 'x'", {"t": SUE}),
        Claim("COMMENT ON VIEW vw IS 'x'", {"vw": SUE}),
        Claim("COMMENT ON CONSTRAINT ck ON t IS 'x'"),
        Claim("COMMENT ON TYPE mood IS 'x'"),
    ),
    "ANALYZE": (
        Claim("ANALYZE t", {"t": SUE}),
        Claim("ANALYZE pt", {"pt": SUE, "p1": SUE, "p2": SUE, "pd": SUE}),
    ),
    "CREATE, ALTER or DROP STATISTICS": (
        Claim("CREATE STATISTICS z ON id, v FROM t", {"t": SUE}),
        Claim("ALTER STATISTICS st SET STATISTICS 4"),
        Claim("DROP STATISTICS st", {"t": SUE}, since=15),
    ),
    "PUBLICATION": (
        Claim("CREATE PUBLICATION z FOR TABLE t, o", {"t": SUE, "o": SUE}),
        Claim("ALTER PUBLICATION pub ADD TABLE o", {"o": SUE}),
        Claim("ALTER PUBLICATION pub SET TABLE o", {"o": SUE, "t": SUE}),
        Claim("ALTER PUBLICATION pub DROP TABLE t", {"t": SUE}),
        Claim("CREATE PUBLICATION z FOR ALL TABLES"),
        Claim("DROP PUBLICATION pub"),
    ),
    "CREATE TABLE … REFERENCES": (
        Claim("CREATE TABLE z (id int REFERENCES o, c int)", {"o": SRE}),
        Claim("CREATE SCHEMA s3 CREATE TABLE z (id int REFERENCES public.o)", {"o": SRE}),
        Claim(
            "CREATE TABLE z (id int, k int, FOREIGN KEY (id, k) REFERENCES pt (id, k))",
            {"pt": SRE, "p1": SRE, "p2": SRE, "pd": SRE},
            setup="ALTER TABLE pt ADD UNIQUE (id, k)",
        ),
    ),
    "CREATE TABLE otherwise": (
        Claim("CREATE TABLE z (id serial PRIMARY KEY, c int)"),
        Claim("CREATE TABLE z (LIKE t INCLUDING ALL)"),
        Claim("CREATE TABLE z () INHERITS (heirs)", {"heirs": SUE}),
        Claim("CREATE TABLE z AS SELECT * FROM vw", scans=("t",)),
    ),
    "CREATE VIEW, CREATE OR REPLACE VIEW": (
        Claim("CREATE VIEW z AS SELECT * FROM vw"),
        Claim("CREATE MATERIALIZED VIEW z AS SELECT * FROM vv", scans=("t",)),
        Claim("CREATE OR REPLACE VIEW vw AS SELECT id, c FROM t WHERE true", {"vw": AE}),
    ),
    "INHERIT, NO INHERIT": (
        Claim("ALTER TABLE plain_heir INHERIT heirs", {"plain_heir": AE, "heirs": SUE},
              setup="CREATE TABLE plain_heir (a int)"),
        Claim("ALTER TABLE heir NO INHERIT heirs", {"heir": AE}),
    ),
    "ALTER SEQUENCE": (Claim("ALTER SEQUENCE seq INCREMENT 2"), Claim("ALTER SEQUENCE seq OWNED BY t.c")),
}  # fmt: skip
