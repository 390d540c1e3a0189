"""What a script made is its own under every name that it gets, and only from there on."""

import pytest

from migrations.locks import touches_of
from migrations.rules import judge
from migrations.sql import read_script
from migrations.sql.actions import Set, Transaction
from migrations.sql.settings import Settings

VIEW = "CREATE MATERIALIZED VIEW m AS SELECT c FROM o"
LARGER = "ALTER TABLE t ALTER COLUMN d TYPE varchar(20)"


def rules_at_end(text: str) -> set[str]:
    """What is found in the last statement."""
    script = read_script(text)
    return {finding.rule for finding in judge(script) if finding.statement == script.statements[-1].index}


@pytest.mark.parametrize(
    ("text", "rule", "is_found"),
    [
        ("CREATE TABLE s.n (c int); ALTER SCHEMA s RENAME TO z; DROP TABLE z.n", "table-drop", False),
        ("ALTER SCHEMA s RENAME TO z; DROP TABLE z.n", "table-drop", True),
        ("ALTER TABLE t ADD d int; ALTER TABLE t RENAME d TO e; ALTER TABLE t DROP e", "column-drop", False),
        ("ALTER TABLE t ADD d int; ALTER TABLE t RENAME TO u; ALTER TABLE u DROP d", "column-drop", False),
        ("ALTER TABLE t ADD d int; ALTER TABLE t RENAME d TO e; ALTER TABLE t DROP d", "column-recreated", True),
        (f"ALTER TABLE t ADD e varchar(9); ALTER TABLE t RENAME e TO d; {LARGER}", "column-type-change", False),
        (f"ALTER TABLE t ADD e varchar(99); ALTER TABLE t RENAME e TO d; {LARGER}", "column-type-change", True),
        ("ALTER TABLE t ALTER c SET NOT NULL; ALTER TABLE t RENAME c TO d; ALTER TABLE t ALTER d SET NOT NULL",
         "not-null-on-existing", False),
        (f"{VIEW}; CREATE UNIQUE INDEX i ON m (c); ALTER MATERIALIZED VIEW m RENAME TO w; "
         "REFRESH MATERIALIZED VIEW CONCURRENTLY w", "concurrently-refused", False),
        (f"{VIEW}; ALTER MATERIALIZED VIEW m RENAME TO w; REFRESH MATERIALIZED VIEW CONCURRENTLY w",
         "concurrently-refused", True),
        ("CREATE INDEX i ON t (c); DROP INDEX i CASCADE", "drop-cascade", False),
        ("DROP INDEX i CASCADE", "drop-cascade", True),
        ("CREATE SCHEMA s; ALTER SCHEMA s RENAME TO z", "schema-rename", False),
        ("CREATE SCHEMA z; DROP SCHEMA z; ALTER SCHEMA s RENAME TO z; ALTER SCHEMA z RENAME TO s",
         "schema-rename", True),
        ("INSERT INTO n VALUES (1); CREATE TABLE IF NOT EXISTS n (c int); CREATE INDEX i ON n (c)",
         "index-without-concurrently", True),
        ("DROP TABLE n; CREATE TABLE IF NOT EXISTS n (c int); CREATE INDEX i ON n (c)",
         "index-without-concurrently", False),
        ("CREATE VIEW v AS SELECT c FROM t; DELETE FROM v", "delete-without-where", True),
        ("CREATE FOREIGN TABLE f (c int) SERVER x; DELETE FROM f", "delete-without-where", True),
        ("SET search_path = app; CREATE DOMAIN d AS int CHECK (VALUE > 0); ALTER TABLE t ADD e d",
         "add-column-checked-domain", True),
        ("CREATE DOMAIN d AS int CHECK (VALUE > 0); DROP DOMAIN d; ALTER TABLE t ADD e d",
         "add-column-checked-domain", False),
    ],
)  # fmt: skip
def test_what_a_script_made_is_its_own(text: str, rule: str, is_found: bool) -> None:
    assert (rule in rules_at_end(text)) is is_found


@pytest.mark.parametrize(
    "text",
    [
        "CREATE SCHEMA s CREATE TABLE n (c int) CREATE VIEW v AS SELECT c FROM n; ALTER TABLE s.n ADD d int",
        "TRUNCATE n; CREATE TABLE n (c int); ALTER TABLE n ADD d int",
    ],
)
def test_what_is_made_after_it_was_spoken_of_is_locked_for_nobody(text: str) -> None:
    assert touches_of(read_script(text))[-1] == ()


def test_a_timeout_that_was_set_for_a_transaction_ends_with_it() -> None:
    text = "{}; CREATE INDEX CONCURRENTLY i ON t (c)"
    assert "concurrently-under-timeout" in rules_at_end(text.format("SET lock_timeout = '1s'"))
    assert "concurrently-under-timeout" not in rules_at_end(text.format("SET LOCAL lock_timeout = '1s'"))


def test_what_is_set_for_the_session_outlives_what_is_set_for_the_transaction() -> None:
    settings = Settings()
    told = []
    for action in (
        Set("search_path", "a"),
        Set("search_path", "b", local=True),
        Transaction("rollback"),
        Set("search_path", "b", local=True),
        Set("search_path", "c"),
        Transaction("commit"),
        Set("*"),
    ):
        settings.take_in(action)
        told.append(settings.get("search_path"))
    assert told == ["a", "b", "a", "b", "c", "c", None]
