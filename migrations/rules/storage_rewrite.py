"""SET TABLESPACE, SET ACCESS METHOD, SET EXPRESSION: the whole table is written anew, elsewhere or in another way."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a

_UNLESS = {
    "set tablespace": "unless it is there already, ",
    "set access method": "unless it has that one already, ",
    "set expression": "unless the column is virtual, ",
}


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a table that was there before."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what=what) if what in _UNLESS and not seen.is_new(table):
                yield Found(
                    f"{_UNLESS[what]}nobody can read or write {table} until all of it is written anew, which needs as "
                    "much room again",
                    (table,),
                    subject=f"{table}.{what}",
                    instead="Create a new table as it is wanted, fill it in batches, let the app use that one, drop "
                    "this one. pg_repack moves a table to another tablespace while others read and write.",
                )


RULE = Rule(
    code="storage-rewrite",
    title="Writes a table anew to store it elsewhere or otherwise",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    since=15,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1); "
    "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler",
    risky="ALTER TABLE t SET ACCESS METHOD other",
    safer="CREATE TABLE kept (LIKE t) USING other",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AlterTable,),
    check=check,
)
