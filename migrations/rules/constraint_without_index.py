"""ADD UNIQUE, PRIMARY KEY, EXCLUDE: their index is built while nobody can read or write the table."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import constraint_added
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown

_INDEXED = ("unique", "primary key", "exclude")


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a table that was there before, unless the constraint takes an index that is built already."""
    for action in statement.actions:
        match action:
            case a.AddConstraint(table=table, constraint=a.Constraint(using_index=None) as constraint):
                subject, constraints = constraint.name or ",".join(constraint.columns), (constraint,)
            case a.AddColumn(table=table, column=a.Column(name=subject, constraints=constraints)):
                pass
            case _:
                continue
        indexed = next((constraint for constraint in constraints if constraint.kind in _INDEXED), None)
        if indexed is None or seen.is_new(table):
            continue
        what = indexed.kind.upper() + f" ({', '.join(shown(column) for column in indexed.columns)})" * bool(
            indexed.columns
        )
        replaces = indexed.name in seen.ahead.of(table).constraints_dropped
        yield Found(
            f"nobody can read or write {table} until the index of its {what} is built",
            (table,),
            subject=f"{table}.{subject}",
            instead="Nothing else builds an index for EXCLUDE: let it run when few use the table."
            if indexed.kind == "exclude"
            else "Build the index first, CONCURRENTLY and in a migration of its own; then make the constraint of it.",
            safer_sql=constraint_added(statement, action, replaces=replaces),
        )


RULE = Rule(
    code="constraint-without-index",
    title="Builds the index of a constraint while everybody waits",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD CONSTRAINT k UNIQUE (c)",
    safer="CREATE UNIQUE INDEX CONCURRENTLY k ON t (c); ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX k",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AddColumn, a.AddConstraint),
    check=check,
)
