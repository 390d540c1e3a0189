"""The throw-away server: starts anywhere, keeps its data, and never outlives its owner."""

import psycopg


def test_a_database_a_test(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
