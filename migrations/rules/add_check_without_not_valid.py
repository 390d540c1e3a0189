"""ADD CHECK without NOT VALID: nobody reads or writes the table while all rows are checked."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import constraint_added
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every such constraint of a table that was there before, and of a column that is added to one."""
    for action in statement.actions:
        match action:
            case a.AddConstraint(table=table, constraint=constraint):
                subject, constraints = constraint.name or "check", (constraint,)
            case a.AddColumn(table=table, column=a.Column(name=subject, constraints=constraints)):
                pass
            case _:
                continue
        unchecked = next((check for check in constraints if check.kind == "check" and not check.not_valid), None)
        if unchecked is None or seen.is_new(table):
            continue
        name = shown(unchecked.name) if unchecked.name else "the check"
        yield Found(
            f"nobody can read or write {table} until every row is checked against {name}",
            (table,),
            subject=f"{table}.{subject}",
            instead="Add it NOT VALID; then VALIDATE CONSTRAINT in a migration after this one.",
            safer_sql=constraint_added(statement, action),
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
    about=(a.AddColumn, a.AddConstraint),
    check=check,
)
