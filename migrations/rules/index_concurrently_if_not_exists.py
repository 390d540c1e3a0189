"""CREATE INDEX CONCURRENTLY IF NOT EXISTS: run again after a failure, it keeps the INVALID index that was left."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import Name
from migrations.sql.words import without


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Unless the script drops an index of that name before."""
    for action in statement.actions:
        match action:
            case a.CreateIndex(table=table, index=Name() as index, concurrently=True, if_not_exists=True):
                if seen.is_new(table) or seen.is_dropped("index", index):
                    continue
                yield Found(
                    f"if an earlier try failed, its INVALID index {index} is there still: this keeps it, silently",
                    (table,),
                    subject=str(index),
                    instead="Leave out IF NOT EXISTS, so that it fails where one is left; that one is to be removed by "
                    f"DROP INDEX CONCURRENTLY {index}.",
                    safer_sql=in_one(without(statement.text, "IF", "NOT", "EXISTS"), when=ALONE),
                )


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """The target shows whether one is there."""
    for action in statement.actions:
        match action:
            case a.CreateIndex(index=Name() as index, concurrently=True, if_not_exists=True):
                relation = foreseen.relation(index)
                if relation is not None and not relation.valid and relation.name not in foreseen.gone.relations:
                    yield Found(
                        f"an INVALID index {index} is on this target: this keeps it, silently, and builds none",
                        (action.table,),
                        subject=str(index),
                        instead=f"Remove it first: DROP INDEX CONCURRENTLY {index}.",
                        severity="stop",
                        safer_sql=f"DROP INDEX CONCURRENTLY {index.sql};",
                    )


RULE = Rule(
    code="index-concurrently-if-not-exists",
    title="Takes an INVALID index for the one that it should build",
    severity="warn",
    setup="CREATE TABLE t (c int)",
    risky="CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (c)",
    safer="CREATE INDEX CONCURRENTLY j ON t (c)",
    source="https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
    about=(a.CreateIndex,),
    check=check,
    look=look,
)
