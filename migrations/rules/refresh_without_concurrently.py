"""REFRESH MATERIALIZED VIEW: nobody reads it until its query has run and it is written anew."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import Name
from migrations.sql.words import find, words_of


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of one that was there before. WITH NO DATA empties it."""
    for action in statement.actions:
        match action:
            case a.Maintain(what="refresh materialized view", table=Name() as view, concurrently=False):
                if seen.is_new(view):
                    continue
                empties = find(words_of(statement.text), "NO", "DATA") >= 0
                yield Found(
                    f"nobody can read {view} until somebody fills it again: a query of it fails meanwhile"
                    if empties
                    else f"nobody can read {view} until its query has run to the end and all of it is written anew",
                    (view,),
                    subject=str(view),
                    instead="CONCURRENTLY, which needs a unique index on columns of the view, without WHERE.",
                    safer_sql=in_one(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view.sql}"),
                )


RULE = Rule(
    code="refresh-without-concurrently",
    title="Fills a materialized view while its readers wait",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads",
    rewrites=True,
    setup="CREATE MATERIALIZED VIEW t AS SELECT 1 AS c; CREATE UNIQUE INDEX i ON t (c)",
    risky="REFRESH MATERIALIZED VIEW t",
    safer="REFRESH MATERIALIZED VIEW CONCURRENTLY t",
    source="https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html",
    about=(a.Maintain,),
    check=check,
)
