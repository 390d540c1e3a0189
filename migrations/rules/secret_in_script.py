"""A password in a script: it is in git, in the server's log, and in everybody's copy."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """A SCRAM verifier is not a password; an md5 hash serves as one."""
    for action in statement.actions:
        match action:
            case a.SecretGiven(where=where, hashed=False):
                yield Found(
                    f"gives {where} in plain text: whoever can read the repository or the server's log has it",
                    subject=where,
                    instead="Create it without a password here, set the password outside of migrations, and change the "
                    "one that stands here.",
                )


RULE = Rule(
    code="secret-in-script",
    title="Holds a password",
    severity="stop",
    setup="CREATE TABLE t (c int)",
    risky="ALTER ROLE CURRENT_USER PASSWORD 'hunter2'",
    safer="ALTER ROLE CURRENT_USER LOGIN",
    source="https://www.postgresql.org/docs/current/sql-alterrole.html",
    about=(a.SecretGiven,),
    check=check,
)
