"""RENAME of a schema: the app that runs now finds none of its tables any more."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Unless the script makes the schema itself."""
    for action in statement.actions:
        match action:
            case a.Rename(kind="schema", table=name, new=new) if seen.thing(name, "schema").before:
                yield Found(
                    f"the running app will find nothing in schema {name} any more: it is {shown(new)} now",
                    subject=str(name),
                    instead="Let the app look in both schemas first, by its search_path.",
                )


RULE = Rule(
    code="schema-rename",
    title="Renames a schema, with all that is in it",
    severity="warn",
    breaks=True,
    fails="42P01",
    setup="CREATE SCHEMA s; CREATE TABLE s.t (c int)",
    risky="ALTER SCHEMA s RENAME TO s2; SELECT c FROM s.t",
    safer="CREATE SCHEMA s2; CREATE TABLE s2.t (c int)",
    source="https://www.postgresql.org/docs/current/sql-alterschema.html",
    about=(a.Rename,),
    check=check,
)
