"""ADD COLUMN of a domain that checks its values: the whole table is written anew, even for nulls."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import ABOUT_ITS_CONSTRAINTS
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Only of a domain that the script makes: of others, the script does not say what they check."""
    for action in statement.actions:
        match action:
            case a.AddColumn(table=table, column=a.Column(name=name, type=type)) if not seen.is_new(table):
                if seen.made.is_checked_domain(type):
                    yield Found(
                        f"nobody can read or write {table} until all of it is written anew: {type} checks its values, "
                        f"and so {shown(name)} in every row",
                        (table,),
                        subject=f"{table}.{name}",
                        instead=f"Give {shown(name)} the type that {type} is made of, and {table} a CHECK of its own: "
                        "added NOT VALID, validated in a migration after this one.",
                    )


RULE = Rule(
    code="add-column-checked-domain",
    title="Adds a column of a domain that checks its values",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    supersedes=ABOUT_ITS_CONSTRAINTS,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="CREATE DOMAIN positive AS int CHECK (VALUE > 0); ALTER TABLE t ADD COLUMN d positive",
    safer="ALTER TABLE t ADD COLUMN d int; ALTER TABLE t ADD CONSTRAINT positive CHECK (d > 0) NOT VALID",
    source="https://www.postgresql.org/docs/current/sql-createdomain.html",
    check=check,
)
