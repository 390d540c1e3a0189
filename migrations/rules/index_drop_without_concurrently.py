"""DROP INDEX: nobody reads or writes the table until the transaction ends."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen
from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The table is not named, unless the script made the index itself. CASCADE has no CONCURRENTLY."""
    for action in statement.actions:
        match action:
            case a.Drop(kind="index", name=index, concurrently=False, cascade=cascade, if_exists=maybe):
                table = seen.index_on(index)
                if table and (seen.is_new(table) or seen.ahead.of(table).is_dropped):
                    continue
                instead = f"DROP INDEX CONCURRENTLY {'IF EXISTS ' * maybe}{index.sql}"
                yield Found(
                    f"nobody can read or write {table or f'the table of index {index}'} from here to the end of the "
                    "transaction, and it waits for all who do so now",
                    (table,) if table else (),
                    subject=str(index),
                    instead="Drop it CONCURRENTLY, in a migration of its own.",
                    safer_sql="" if cascade else in_one(instead, when=ALONE),
                )


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """The index of a partitioned table has no CONCURRENTLY."""
    for action in statement.actions:
        match action:
            case a.Drop(kind="index", name=name, concurrently=False) if foreseen.known and foreseen.relation(name):
                index = foreseen.relation(name)
                table = foreseen.known.relation(index.table) if index and index.table else None
                if table and table.kind == "partitioned table":
                    yield Found(
                        f"nobody can read or write {table.shown} or any partition of it from here to the end of the "
                        "transaction, and it waits for all who do so now",
                        subject=str(name),
                        instead="The server has no CONCURRENTLY for the index of a partitioned table: do it alone, at "
                        "a quiet hour.",
                    )


RULE = Rule(
    code="index-drop-without-concurrently",
    title="Drops an index while readers and writers wait",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int); CREATE INDEX i ON t (c)",
    risky="DROP INDEX i",
    safer="DROP INDEX CONCURRENTLY i",
    source="https://www.postgresql.org/docs/current/sql-dropindex.html",
    about=(a.Drop,),
    check=check,
    look=look,
)
