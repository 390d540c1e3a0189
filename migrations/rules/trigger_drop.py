"""DROP TRIGGER: nobody reads or writes the table, and what the trigger kept in order is not kept any more."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a table that was there before, and stays."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what="drop trigger", name=str(name)):
                if seen.is_new(table) or seen.ahead.of(table).is_dropped:
                    continue
                yield Found(
                    f"nobody can read or write {table} from here to the end of the transaction; what trigger "
                    f"{shown(name)} did is done by nobody after it",
                    (table,),
                    subject=f"{table}.{name}",
                    instead="Drop it one release after the last version that counts on it.",
                )


RULE = Rule(
    code="trigger-drop",
    title="Drops a trigger",
    severity="warn",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int); "
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    risky="DROP TRIGGER g ON t",
    safer="CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
    source="https://www.postgresql.org/docs/current/sql-droptrigger.html",
    about=(a.AlterTable,),
    check=check,
)
