"""What of a script is hidden, and that all else stays where it is."""

import pytest

from migrations.sql import read_script
from migrations.sql.hiding import veil_of
from migrations.sql.redact_list import Columns, is_column
from migrations.sql.veil import Veil

COLUMNS = Columns.read(["users.email", "sales.customers.*", "*.ssn"])
S = "SECRET"
"""Stands for what must not be seen; a script has it wherever one is expected."""

GIVEN = [
    f"ALTER ROLE app PASSWORD '{S}'",
    f"CREATE ROLE app LOGIN ENCRYPTED PASSWORD E'a\\'{S}'",
    f"ALTER ROLE app PASSWORD U&'\\0061{S}'",
    f"ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:{S}'",
    f"CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'a', password '{S}')",
    f"CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', \"passwd\" '{S}')",
    f"CREATE SUBSCRIPTION s CONNECTION 'host=a password={S}' PUBLICATION p",
    f"ALTER SYSTEM SET primary_conninfo = 'host=a password={S}'",
    f"SET app.secret = '{S}'",
    f"SET LOCAL app.api_token TO {S}",
    f"ALTER DATABASE d SET app.key = '{S}'",
    f"SELECT set_config('app.secret', '{S}', false)",
    f"SELECT dblink('host=h password={S}', 'SELECT 1')",
    f"SELECT dblink_connect('postgres://u:{S}@h/db')",
    f"DO $$ BEGIN ALTER ROLE x PASSWORD '{S}'; END $$",
    f"DO $$\nBEGIN\n  EXECUTE 'ALTER ROLE x PASSWORD ''{S}''';\nEND $$",
    f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $x$\nBEGIN\nALTER ROLE x PASSWORD '{S}';\nEND $x$",
    f"SELECT 1; -- ALTER ROLE x PASSWORD '{S}'\nSELECT 2",
    f"/* postgres://ana:{S}@db/shop */ SELECT 1",
    f"SELECT 1 -- was: password={S}",
    f"SELEC 1; ALTER ROLE x PASSWORD '{S}'",
    f"ALTER ROLE x PASSWORD '{S}",
]
VALUES = [
    f"INSERT INTO users (id, email) VALUES (1, '{S}'), (2, lower('{S}'))",
    f"INSERT INTO users VALUES (1, $${S}$$)",
    f"INSERT INTO users (email) SELECT v.e FROM (VALUES ('{S}')) v(e)",
    f"INSERT INTO users (email) SELECT '{S}' UNION ALL SELECT '{S}'::citext",
    f"INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = '{S}'",
    f"WITH x AS (INSERT INTO users (email) VALUES ('{S}') RETURNING id) SELECT * FROM x",
    f"UPDATE public.users SET email = '{S}' || n",
    f"UPDATE users SET (n, email) = (1, '{S}')",
    f"UPDATE users u SET n = 1 WHERE u.email IN ('{S}', '{S}')",
    f"DELETE FROM t USING users u WHERE t.id = u.id AND lower(email) LIKE '{S}%'",
    f"MERGE INTO users t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, email) VALUES (1, '{S}')",
    f"INSERT INTO sales.customers (a) VALUES ('{S}')",
    f"INSERT INTO anything (ssn) VALUES ('{S}')",
    f"DO $$ BEGIN IF true THEN UPDATE users SET email = '{S}'; END IF; END $$",
    f"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE users SET email = '{S}' $$",
    f"COPY users (id, email) FROM stdin;\n1\t{S}\n2\t{S}\n\\.\nSELECT 1;",
    f"INSERT INTO users (email) VALUES ('{S}'",
]


@pytest.mark.parametrize("text", [*GIVEN, *VALUES])
def test_a_secret_is_hidden_wherever_it_stands(text: str) -> None:
    script = read_script(f"SELECT 'kept';\n{text}\n")
    veil = veil_of(script, COLUMNS)
    shown = veil.script(script)
    assert S not in veil.text and "«redacted:" in veil.text
    assert veil.text.startswith("SELECT 'kept';") and veil.text.count("\n") == script.text.count("\n")
    assert not any(S in s.text or S in s.summary or S in s.why_not for s in shown.statements)
    assert [s.line for s in shown.statements] == [s.line for s in script.statements]
    assert all(shown.text[s.start : s.end] == s.text for s in shown.statements)
    said = [value for hidden in veil.hidden for value in hidden.values(script.text)]
    for value in (value for value in said if len(value) > 2):
        assert value not in veil.words(f'ERROR: invalid input "{value}"')


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE users (id int PRIMARY KEY, password text NOT NULL, email text DEFAULT 'nobody')",
        "INSERT INTO users (id, n) VALUES (1, 'seen')",
        "INSERT INTO shop.customers (a) VALUES ('another schema')",
        "UPDATE users SET n = 1 WHERE id = 7; SELECT 'wrong password'; SELECT 'x'",
        "COMMENT ON COLUMN users.password IS 'hashed'; ALTER ROLE app PASSWORD NULL; SET lock_timeout = '5s'",
        "ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY (id), ADD COLUMN api_key text DEFAULT 'none'",
    ],
)
def test_all_else_is_left_as_it_is(text: str) -> None:
    script = read_script(text)
    veil = veil_of(script, COLUMNS)
    assert not veil and veil.text == text and veil.script(script) is script


def test_what_is_hidden_once_is_hidden_wherever_it_is_repeated() -> None:
    text = "INSERT INTO users (email) VALUES ('o''neil@x'), ('nobody'); CREATE TABLE nobody (); SET app.key = 'abcd';\n"
    text += "DO $$ BEGIN RAISE 'no % for o''neil@x, nobody', 'abcd'; END $$"
    shown = veil_of(read_script(text), COLUMNS).text
    assert "neil" not in shown and "abcd" not in shown and shown.count("nobody") == 2


def test_places_lead_to_the_same_words_in_what_is_shown() -> None:
    text = "INSERT INTO users (email, n) VALUES ('a@b', 5), (7, 6); SELECT 'é', 1/0"
    veil = veil_of(read_script(text), COLUMNS)
    for word in ("INSERT", "5", "6", "SELECT", "1/0"):
        assert veil.text[veil.place(text.index(word)) :].startswith(word)
    assert veil.text[veil.place(text.index("@")) :].startswith("'«redacted:users.email»'")
    assert veil.given == {}


def test_what_a_server_says_is_cleared_of_whole_words_only() -> None:
    veil = veil_of(read_script("INSERT INTO users (email) VALUES ('ana'), ('it''s'), (12), (true)"), COLUMNS)
    said = veil.words('value "ana" of analysis, "it\'s" at line 12 is not true')
    assert said == 'value "«redacted:users.email»" of analysis, "«redacted:users.email»" at line 12 is not true'
    assert Veil("x").words("x") == "x"


def test_columns_are_named_as_the_catalog_has_them() -> None:
    assert all(map(is_column, ("users.email", "a.b.c", "*.ssn", "User.Email")))
    assert not any(map(is_column, ("users", "a.b.c.d", "a..b", 'a."b"', "a b.c")))
    assert COLUMNS.named("", "customers", "any") and not COLUMNS.named("shop", "customers", "any")
