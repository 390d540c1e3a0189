"""ALTER TYPE … DROP ATTRIBUTE: its values are gone from every row that holds the type, in whatever table."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a type that was there before."""
    for action in statement.actions:
        match action:
            case a.AlterRelation(kind="type", name=name, what="drop column") if not seen.is_made("type", name):
                yield Found(
                    f"drops an attribute of type {name} with its values, in every row of every table that uses it",
                    subject=str(name),
                    instead="Add a type without it, and move the columns that use this one to that, in batches.",
                )


RULE = Rule(
    code="type-attribute-drop",
    title="Drops an attribute of a type, and its values",
    severity="stop",
    loses_data=True,
    setup="CREATE TYPE y AS (a int, b int); CREATE TABLE t (c y); INSERT INTO t VALUES ((1, 2))",
    risky="ALTER TYPE y DROP ATTRIBUTE a",
    safer="ALTER TYPE y RENAME ATTRIBUTE a TO unused",
    source="https://www.postgresql.org/docs/current/sql-altertype.html",
    about=(a.AlterRelation,),
    check=check,
)
