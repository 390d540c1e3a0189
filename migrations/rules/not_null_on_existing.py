"""SET NOT NULL: the whole table is read while everybody waits, and one null is enough to fail."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.steps import set_not_null, written
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Unless the script has made, and validated, a CHECK that proves it already."""
    for action in statement.actions:
        match action:
            case a.SetNotNull(table=table, column=column):
                pass
            case a.AddConstraint(
                table=table, constraint=a.Constraint(kind="not null", columns=(column,)) as constraint
            ):
                if constraint.not_valid:
                    continue
            case _:
                continue
        if not seen.is_new(table) and not seen.is_never_null(table, column):
            yield Found(
                f"nobody can read or write {table} while all of it is searched for a null in {shown(column)}, "
                "unless a validated CHECK proves that there is none; a null makes it fail",
                (table,),
                subject=f"{table}.{column}",
                instead="Prove first, by a CHECK that is added NOT VALID and validated, that there are no nulls.",
                safer_sql=written(set_not_null(table, column)),
            )


RULE = Rule(
    code="not-null-on-existing",
    title="Forbids null in a column that is there already",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ALTER COLUMN c SET NOT NULL",
    safer="ALTER TABLE t ADD CONSTRAINT present CHECK (c IS NOT NULL) NOT VALID; "
    "ALTER TABLE t VALIDATE CONSTRAINT present; "
    "ALTER TABLE t ALTER COLUMN c SET NOT NULL; "
    "ALTER TABLE t DROP CONSTRAINT present",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    check=check,
)
