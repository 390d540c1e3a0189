"""ADD FOREIGN KEY without NOT VALID: nobody writes to either table while all rows are checked."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import constraint_added
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Only on a table that was there before: a new one has no rows to check."""
    for action in statement.actions:
        match action:
            case a.AddConstraint(table=table, constraint=a.Constraint(kind="foreign key", not_valid=False) as key):
                if seen.is_new(table) or key.references is None:
                    continue
                tables = (table,) if key.references.key == table.key else (table, key.references)
                yield Found(
                    f"nobody can write to {' or '.join(map(str, tables))} until every row of {table} is checked",
                    tables,
                    subject=f"{table}.{key.name or ','.join(key.columns)}",
                    instead="Add it NOT VALID; then VALIDATE CONSTRAINT in a migration after this one.",
                    safer_sql=constraint_added(statement, action),
                )


RULE = Rule(
    code="add-foreign-key",
    title="Adds a foreign key and checks all rows while writers wait",
    severity="warn",
    lock=Lock.SHARE_ROW_EXCLUSIVE,
    blocks="writes",
    setup="CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o (id)",
    safer="ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o (id) NOT VALID",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AddConstraint,),
    check=check,
)
