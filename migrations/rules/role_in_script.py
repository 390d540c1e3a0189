"""CREATE ROLE and its like: roles belong to the server, and not to the database that the script is for."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Made, dropped, changed or granted to another. What is granted on tables is the database's own."""
    for action in statement.actions:
        match action:
            case a.Create(kind="role", name=name):
                yield _found(f"creates role {name}: where the server has it already, the script fails", str(name))
            case a.Drop(kind="role", name=name):
                yield _found(f"drops role {name}, for every database of the server", str(name))
            case a.Other(what=what) if what == "grant role" or what.startswith("alter role "):
                yield _found("changes a role for every database of the server", what)


def _found(words: str, subject: str) -> Found:
    return Found(
        f"{words}; needs a privilege that the migrating role may lack, and a dump of the database does not hold it",
        subject=subject,
        instead="Make roles where the server is set up; grant them what they need on this database here.",
    )


RULE = Rule(
    code="role-in-script",
    title="Changes roles, which all databases of the server share",
    severity="note",
    fails="42501",
    setup="CREATE TABLE t (c int); ALTER TABLE t OWNER TO pg_monitor; SET ROLE pg_monitor",
    risky="CREATE ROLE app",
    safer="GRANT SELECT ON t TO pg_read_all_data",
    source="https://www.postgresql.org/docs/current/user-manag.html",
    about=(a.Create, a.Drop, a.Other),
    check=check,
)
