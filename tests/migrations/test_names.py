"""Names as SQL: the server reads them back as what they were."""

import psycopg
from hypothesis import given

from migrations.sql import Name, read_script
from migrations.sql.names import RESERVED, quoted, shown
from tests.migrations.odd_names import NAMES


def test_the_words_that_need_quotes_are_the_server_s(database: str) -> None:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT word, quote_ident(word) FROM pg_get_keywords()").fetchall()
    assert len(rows) > 400
    needed = {word for word, ident in rows if ident != word}
    assert needed == {word for word, _ in rows if shown(word) != word} - _reserved_later(needed)


def _reserved_later(needed: set[str]) -> set[str]:
    """What only a newer server than this one calls reserved."""
    return {word for word in RESERVED if word not in needed}


def test_a_name_with_control_codes_is_still_that_name(database: str) -> None:
    name = 'a\x1b[2J"b\\c\n🚀\u202e'
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {quoted(name)} (c int)".encode())
        assert connection.execute("SELECT relname FROM pg_class WHERE relname = %s", (name,)).fetchall() == [(name,)]
        found = connection.execute("SELECT to_regclass(%s)::oid", (Name("public", name).regclass,)).fetchone()
        assert found == connection.execute("SELECT oid FROM pg_class WHERE relname = %s", (name,)).fetchone()
    assert quoted(name).isprintable()


def test_a_script_s_own_search_path_says_where_a_name_is_looked_for() -> None:
    assert Name(None, "a", ("s",)).regclass == Name("s", "a", ("t",)).regclass == '"s"."a"'
    assert Name(None, "a").regclass == '"a"'


@given(NAMES, NAMES)
def test_every_name_is_read_back(schema: str, name: str) -> None:
    (statement,) = read_script(f"DROP TABLE {Name(schema, name).sql}").statements
    (dropped,) = statement.facts.touches
    assert dropped == Name(schema, name)
    assert Name(schema, name).sql.isprintable()
