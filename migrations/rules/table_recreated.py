"""A table dropped and created anew under its name: it is there again, without its rows."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every dropped table whose name a later statement gives to a new one, or to another."""
    for action in statement.actions:
        match action:
            case a.Drop(kind="table", name=table):
                if not seen.is_new(table) and (what := _what(table, statement, seen)):
                    yield Found(
                        f"drops table {table} and {what}",
                        (table,),
                        subject=str(table),
                        instead=f"ALTER TABLE {table} …, part by part",
                    )


def _what(table: Name, statement: Statement, seen: Situation) -> str:
    if seen.ahead.of(table).made > statement.index:
        return "creates it again, empty: it looks the same, and its rows are gone"
    if seen.ahead.of(table).named > statement.index:
        return (
            "gives its name to something else: it looks the same; rows that were not copied before are gone, and so "
            "are its privileges, triggers and policies"
        )
    return ""


RULE = Rule(
    code="table-recreated",
    title="Drops a table and creates it again",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    supersedes=("table-drop", "table-rename-as-drop-and-create"),
    setup="CREATE TABLE t (c int)",
    risky="DROP TABLE t; CREATE TABLE t (c int, d int)",
    safer="ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/sql-droptable.html",
    about=(a.Drop,),
    check=check,
)
