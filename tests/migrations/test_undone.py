"""What a script takes back by ROLLBACK was never done: no table made, no proof, no setting."""

import psycopg
import pytest

from migrations.impact.foreseen import Foreseen
from migrations.locks import touches_of
from migrations.rules import judge
from migrations.sql import Name, read_script
from migrations.sql.actions import Set, Transaction
from migrations.sql.settings import Settings

UNDONE = [
    "BEGIN; {}; ROLLBACK",
    "BEGIN; SAVEPOINT a; {}; ROLLBACK TO SAVEPOINT a; COMMIT",
    "BEGIN; SAVEPOINT a; SAVEPOINT b; {}; RELEASE b; ROLLBACK TO a; ROLLBACK TO a; COMMIT",
    "BEGIN; SAVEPOINT a; SAVEPOINT a; SELECT 1; RELEASE a; {}; ROLLBACK TO a; COMMIT",
    "BEGIN; COMMIT AND CHAIN; {}; ROLLBACK",
]
DONE = [
    "BEGIN; {}; COMMIT",
    "BEGIN; {}; SAVEPOINT a; ROLLBACK TO a; COMMIT",
    "BEGIN; SAVEPOINT a; {}; RELEASE a; COMMIT",
    "BEGIN; ROLLBACK AND CHAIN; {}; COMMIT; BEGIN; ROLLBACK",
]


@pytest.mark.parametrize("frame", UNDONE + DONE)
@pytest.mark.parametrize(
    ("deed", "then", "rule"),
    [
        ("CREATE TABLE t (c int)", "DROP TABLE t", "table-drop"),
        ("DROP TABLE t; CREATE TABLE t (c int)", "DROP TABLE t", "table-drop"),
        ("CREATE TABLE n (c int); ALTER TABLE t RENAME TO o; ALTER TABLE n RENAME TO t", "DROP TABLE t", "table-drop"),
        ("ALTER TABLE t ADD COLUMN d int", "ALTER TABLE t DROP COLUMN d", "column-drop"),
        ("ALTER TABLE t ADD CHECK (c IS NOT NULL)", "ALTER TABLE t ALTER c SET NOT NULL", "not-null-on-existing"),
        ("CREATE VIEW v AS SELECT 1", "DROP VIEW v CASCADE", "drop-cascade"),
    ],
)
def test_it_is_as_if_it_had_never_been(frame: str, deed: str, then: str, rule: str) -> None:
    script = read_script(f"{frame.format(deed)}; {then}")
    last = script.statements[-1].index
    found = {finding.rule for finding in judge(script) if finding.statement == last}
    assert (rule in found) == (frame in UNDONE)
    assert "ALTER" in then or bool(touches_of(script)[last]) == (frame in UNDONE)


@pytest.mark.parametrize("frame", UNDONE + DONE)
@pytest.mark.parametrize("before", ["", "SET work_mem = '1MB'; "])
@pytest.mark.parametrize("deed", ["SET work_mem = '8MB'", "RESET ALL"])
def test_the_server_has_the_same_settings(frame: str, before: str, deed: str, database: str) -> None:
    script = read_script(before + frame.format(deed))
    settings = Settings()
    with psycopg.connect(database, autocommit=True) as connection:
        default = connection.execute("SHOW work_mem").fetchone()
        for statement in script.statements:
            connection.execute(statement.text.encode())
            for action in statement.actions:
                settings.take_in(action)
        now = connection.execute("SHOW work_mem").fetchone()
    assert default is not None
    assert now == (settings.get("work_mem") or default[0],)


def test_what_was_set_locally_is_set_again_by_going_back() -> None:
    settings = Settings()
    local = [Set("a", "1", local=True), Transaction("savepoint", name="s"), Set("a", "2", local=True)]
    for action in (Transaction("begin"), *local, Transaction("rollback to", name="s")):
        settings.take_in(action)
    assert settings.get("a") == "1"
    settings.take_in(Transaction("commit"))
    assert settings.get("a") is None


def test_names_are_looked_for_where_they_were() -> None:
    (finding,) = judge(read_script("BEGIN; SET search_path = s; ROLLBACK; DROP TABLE t"))
    assert finding.tables == ("t",)


def test_inside_it_what_was_made_is_there() -> None:
    assert not judge(read_script("BEGIN; CREATE TABLE t (c int); CREATE INDEX ON t (c); DROP TABLE t; ROLLBACK"))


def test_rows_are_back_where_they_were() -> None:
    foreseen = Foreseen()
    for statement in read_script("CREATE TABLE n (c int); BEGIN; INSERT INTO n SELECT c FROM t; ROLLBACK").statements:
        foreseen.take_in(statement)
    assert foreseen.is_new(Name(None, "n"))
    assert not foreseen.keeps(Name(None, "n"))
    assert foreseen.is_empty(Name(None, "n"))
