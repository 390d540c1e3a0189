"""ALTER TYPE RENAME VALUE: the app that runs now writes and compares a value that is no more."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import printable


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of an enum that was there before."""
    for action in statement.actions:
        match action:
            case a.Rename(kind="enum value", table=type, old=str(old), new=new) if not seen.is_made("type", type):
                yield Found(
                    f"the running app will not find value {printable(old)!r} of {type} any more: what writes it, or "
                    f"asks for it, fails; it is {printable(new)!r} now",
                    subject=f"{type}.{printable(old)}",
                    instead="Add the new value, let the app know both, change the rows in batches. The old one stays.",
                    safer_sql=in_one(f"ALTER TYPE {type.sql} ADD VALUE {_literal(new)} AFTER {_literal(old)}"),
                )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


RULE = Rule(
    code="enum-value-rename",
    title="Renames a value that the running app uses",
    severity="warn",
    breaks=True,
    setup="CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (c mood)",
    risky="ALTER TYPE mood RENAME VALUE 'sad' TO 'low'",
    safer="ALTER TYPE mood ADD VALUE 'low' AFTER 'sad'",
    source="https://www.postgresql.org/docs/current/sql-altertype.html",
    about=(a.Rename,),
    check=check,
)
