"""ALTER SYSTEM: it changes the whole server, and no rollback takes it back."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import printable


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """SET and RESET."""
    for action in statement.actions:
        match action:
            case a.Other(what=what) if what.startswith("alter system"):
                setting = printable(what.removeprefix("alter system").strip())
                yield Found(
                    f"changes {setting or 'all settings'} for every database of the server, from its next reload or "
                    "restart on; needs a privilege that the migrating role may lack, and many providers refuse it",
                    subject=setting,
                    instead="Change it where the server is configured. For one database or role, ALTER DATABASE … SET "
                    "or ALTER ROLE … SET is enough.",
                )


RULE = Rule(
    code="alter-system",
    title="Changes a setting of the whole server",
    severity="warn",
    fails="42501",
    setup="CREATE TABLE t (c int); SET ROLE pg_monitor",
    risky="ALTER SYSTEM SET work_mem = '8MB'",
    safer="SET work_mem = '8MB'",
    source="https://www.postgresql.org/docs/current/sql-altersystem.html",
    about=(a.Other,),
    check=check,
)
