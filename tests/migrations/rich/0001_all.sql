CREATE SCHEMA side;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "fine"');
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE span AS RANGE (SUBTYPE = integer);
CREATE DOMAIN positive AS integer DEFAULT 1 CONSTRAINT above_zero CHECK (VALUE > 0);
CREATE SEQUENCE numbers AS integer START 5 INCREMENT 5 CYCLE;
CREATE COLLATION plain (LOCALE = 'C');
CREATE TABLE customers (id serial PRIMARY KEY, name varchar(80) NOT NULL DEFAULT 'x', m mood,
    "Odd col" text COLLATE "C", code varchar(80));
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id integer REFERENCES customers ON DELETE CASCADE,
    total numeric(10, 2), note text, number integer DEFAULT nextval('numbers'), p positive,
    twice numeric GENERATED ALWAYS AS (total * 2) STORED,
    CONSTRAINT positive_total CHECK (total > 0), CONSTRAINT one_number UNIQUE (number) DEFERRABLE
) WITH (fillfactor = 80);
CREATE INDEX orders_total ON orders (total) WHERE total > 10;
CREATE UNIQUE INDEX orders_note ON orders (lower(note) text_pattern_ops) INCLUDE (total);
CREATE STATISTICS spread ON total, customer_id FROM orders;
CREATE VIEW big WITH (security_barrier = true) AS SELECT id, total FROM orders WHERE total > 1000;
CREATE VIEW bigger AS SELECT b.id, c.name FROM big b JOIN customers c ON c.id = b.id;
CREATE MATERIALIZED VIEW names AS SELECT name FROM customers;
CREATE UNIQUE INDEX names_name ON names (name);
CREATE FUNCTION f(a integer, b text DEFAULT 'x') RETURNS integer LANGUAGE sql STABLE AS 'SELECT a + 1';
CREATE FUNCTION tick() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note := 'it''s'; RETURN NEW; END$$;
CREATE PROCEDURE p(INOUT a integer) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total_of(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE TRIGGER tick BEFORE UPDATE OF note ON orders FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note)
    EXECUTE FUNCTION tick();
CREATE TABLE papers (id integer PRIMARY KEY, owner_name text);
ALTER TABLE papers ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON papers FOR UPDATE TO reader USING (owner_name = current_user) WITH CHECK (owner_name <> '');
CREATE RULE quiet AS ON DELETE TO papers DO INSTEAD NOTHING;
CREATE TABLE events (at date NOT NULL, kind text, PRIMARY KEY (at), CHECK (kind <> '')) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX events_kind ON events (kind);
CREATE TABLE base (a integer NOT NULL, CONSTRAINT a_is_small CHECK (a < 100));
CREATE TABLE derived (b integer) INHERITS (base);
CREATE UNLOGGED TABLE side.scratch (x integer, y text);
CREATE PUBLICATION feed FOR TABLE orders, customers WITH (publish = 'insert, update');
CREATE EXTENSION hstore;
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER noting ON ddl_command_end WHEN TAG IN ('DROP TABLE', 'CREATE TABLE') EXECUTE FUNCTION noted();
GRANT SELECT ON customers TO reader;
GRANT UPDATE (note) ON orders TO reader;
GRANT USAGE ON SCHEMA side TO reader WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION f FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA side GRANT SELECT ON TABLES TO reader;
COMMENT ON COLUMN orders.total IS 'in cents; it''s net \ gross';
COMMENT ON TABLE customers IS 'all';
COMMENT ON FUNCTION f IS 'adds';
