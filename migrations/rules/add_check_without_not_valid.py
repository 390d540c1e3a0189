"""ADD CHECK without NOT VALID: nobody reads or writes the table while all rows are checked."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Every such constraint of a table that was there before."""
    for action in statement.actions:
        match action:
            case a.AddConstraint(table=table, constraint=a.Constraint(kind="check", not_valid=False) as constraint):
                if seen.is_new(table):
                    continue
                name = shown(constraint.name) if constraint.name else "the constraint"
                yield Found(
                    f"nobody can read or write {table} until every row is checked against {name}",
                    (table,),
                    subject=f"{table}.{constraint.name or 'check'}",
                    instead="Add it NOT VALID; then VALIDATE CONSTRAINT in a migration after this one.",
                )


RULE = Rule(
    code="add-check-without-not-valid",
    title="Adds a check and applies it to all rows while everybody waits",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD CONSTRAINT positive CHECK (c > 0)",
    safer="ALTER TABLE t ADD CONSTRAINT positive CHECK (c > 0) NOT VALID",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    check=check,
)
