"""CREATE INDEX: writers wait for the whole build."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen
from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, by_partitions, in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.words import put_after, without


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every such index of a table that was there before. ON ONLY builds nothing: it is said of partitioned tables."""
    for action in statement.actions:
        match action:
            case a.CreateIndex(table=table, concurrently=False, only=False, unique=unique) if not seen.is_new(table):
                text = without(statement.text, "IF", "NOT", "EXISTS") or statement.text
                yield Found(
                    f"nobody can write to {table} until the whole index is built",
                    (table,),
                    subject=str(table),
                    instead=f"CREATE {'UNIQUE ' * unique}INDEX CONCURRENTLY … ON {table} …, in a migration of its own",
                    safer_sql=in_one(put_after(text, ("INDEX",), "CONCURRENTLY"), when=ALONE),
                )


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """A partitioned table has no CONCURRENTLY."""
    for action in statement.actions:
        match action:
            case a.CreateIndex(table=table, concurrently=False, only=False):
                relation = foreseen.relation(table)
                if relation and relation.kind == "partitioned table":
                    yield Found(
                        f"{table} is partitioned, where the server refuses CONCURRENTLY: nobody can write to any "
                        "partition of it until the last index is built",
                        (table,),
                        subject=str(table),
                        instead=by_partitions(table),
                    )


RULE = Rule(
    code="index-without-concurrently",
    title="Builds an index while writers wait",
    severity="warn",
    lock=Lock.SHARE,
    blocks="writes",
    setup="CREATE TABLE t (c int)",
    risky="CREATE INDEX i ON t (c)",
    safer="CREATE INDEX CONCURRENTLY i ON t (c)",
    source="https://www.postgresql.org/docs/current/sql-createindex.html",
    about=(a.CreateIndex,),
    check=check,
    look=look,
)
