"""DROP SCHEMA … CASCADE, and what else drops many tables at once."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Without CASCADE, the server refuses to drop a schema that holds anything."""
    for action in statement.actions:
        match action:
            case a.Drop(kind="schema", name=name, cascade=True) if not seen.is_made("schema", name):
                yield _found(f"schema {name} with every table in it", str(name))
            case a.Drop(kind="database", name=name):
                yield _found(f"database {name}", str(name))
            case a.Drop(kind="all that is owned by", name=name):
                yield _found(f"everything that role {name} owns", str(name))


def _found(what: str, subject: str) -> Found:
    return Found(
        f"drops {what}",
        subject=subject,
        instead="Drop its tables one by one, so that the review shows each of them.",
    )


RULE = Rule(
    code="schema-drop",
    title="Drops a schema, or more, with all that is in it",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE SCHEMA s; CREATE TABLE s.t (c int); SET search_path = s",
    risky="DROP SCHEMA s CASCADE",
    safer="ALTER SCHEMA s RENAME TO s_unused",
    source="https://www.postgresql.org/docs/current/sql-dropschema.html",
    about=(a.Drop,),
    check=check,
)
