"""SET SCHEMA: the app that runs now looks for the table where it was."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import kept_as_view
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted, shown
from migrations.sql.thing import READ


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Unless the script makes the table itself, or leaves something under the old name."""
    for action in statement.actions:
        match action:
            case a.MoveToSchema(kind=kind, name=name, schema=schema) if kind in READ:
                if seen.is_new(name) or seen.ahead.of(name).viewed > statement.index:
                    continue
                yield Found(
                    f"the running app will not find {kind} {name} any more: it is in schema {shown(schema)} now",
                    (name,),
                    subject=str(name),
                    instead="Leave a view in its place, with the same grants, until no version that uses it runs.",
                    safer_sql=kept_as_view(
                        f"ALTER {kind.upper()} {name.sql} SET SCHEMA {quoted(schema)}", name, Name(schema, name.name)
                    ),
                )


RULE = Rule(
    code="move-to-schema",
    title="Moves a table away from where the running app looks for it",
    severity="warn",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int); CREATE SCHEMA s",
    risky="ALTER TABLE t SET SCHEMA s",
    safer="ALTER TABLE t SET SCHEMA s; CREATE VIEW t AS SELECT * FROM s.t",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.MoveToSchema,),
    check=check,
)
