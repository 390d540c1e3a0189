"""The tables that the claims are about: a bit of everything that a statement may lead to."""

WORLD = """
DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE SCHEMA s2;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TYPE pair AS (x int, y int);
CREATE DOMAIN plain AS text;
CREATE DOMAIN checked AS text CHECK (VALUE <> '');
CREATE SEQUENCE seq;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

CREATE TABLE o (id int PRIMARY KEY, n text);
CREATE TABLE alone (id int, n text, j int NOT NULL, ts timestamp);
CREATE UNIQUE INDEX alone_j ON alone (j);
CREATE UNIQUE INDEX alone_n ON alone (n);
CREATE TABLE t (
    id int PRIMARY KEY, c int DEFAULT 1, v varchar(20), n numeric(10, 2), m mood, p plain, d checked, x pair,
    o_id int CONSTRAINT fk REFERENCES o, CONSTRAINT ck CHECK (c > 0), CONSTRAINT proof CHECK (c IS NOT NULL)
);
CREATE INDEX ti ON t (c);
CREATE TABLE child (id int PRIMARY KEY, t_id int REFERENCES t ON DELETE CASCADE);
CREATE TABLE grandchild (id int, child_id int REFERENCES child);

CREATE VIEW vw AS SELECT id, c FROM t;
CREATE VIEW vv AS SELECT id FROM vw;
CREATE MATERIALIZED VIEW mv AS SELECT id, n FROM o;
CREATE UNIQUE INDEX mvi ON mv (id);

CREATE TABLE pt (id int NOT NULL, k int NOT NULL, o_id int REFERENCES o) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF pt FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF pt FOR VALUES IN (2);
CREATE TABLE pd PARTITION OF pt DEFAULT;
CREATE TABLE p3 (id int NOT NULL, k int NOT NULL, o_id int);
CREATE TABLE p4 (id int NOT NULL, k int NOT NULL CHECK (k = 4), o_id int);
CREATE INDEX pti ON pt (id);
CREATE TABLE plain_pt (k int) PARTITION BY LIST (k);
CREATE TABLE plain_p1 PARTITION OF plain_pt FOR VALUES IN (1);
CREATE TABLE heirs (a int);
CREATE TABLE heir () INHERITS (heirs);

CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER ptr AFTER INSERT ON pt FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY po ON t USING (true);
CREATE RULE ru AS ON UPDATE TO o DO ALSO NOTHING;
CREATE STATISTICS st ON id, c FROM t;
CREATE PUBLICATION pub FOR TABLE t;

INSERT INTO o SELECT g, 'o' || g FROM generate_series(1, 5) g;
INSERT INTO alone SELECT g, 'a' || g, g, now() FROM generate_series(1, 20) g;
INSERT INTO t (id, v, n, m, p, d, o_id) SELECT g, 'v' || g, g, 'good', 'p', 'd', 1 FROM generate_series(1, 20) g;
INSERT INTO child SELECT g, g FROM generate_series(1, 5) g;
INSERT INTO grandchild SELECT g, g FROM generate_series(1, 5) g;
REFRESH MATERIALIZED VIEW mv;
INSERT INTO pt SELECT g, g % 2 + 1, 1 FROM generate_series(1, 10) g;
INSERT INTO pt SELECT g, 7, 1 FROM generate_series(1, 5) g;
INSERT INTO p3 SELECT g, 3, 1 FROM generate_series(1, 5) g;
INSERT INTO p4 SELECT g, 4, 1 FROM generate_series(1, 5) g;
INSERT INTO plain_pt SELECT 1 FROM generate_series(1, 5) g;
INSERT INTO heirs VALUES (1);
INSERT INTO heir VALUES (2);
"""
