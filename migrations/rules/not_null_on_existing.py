"""SET NOT NULL: the whole table is read while everybody waits, and one null is enough to fail."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import proof_name, set_not_null, written
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Unless the script has made, and validated, a CHECK that proves it already, or ends such a proof."""
    forbidden = [place for action in statement.actions for place in _columns(action)]
    open_ones = [
        place for place in forbidden if not seen.is_new(place[0]) and place[1] not in seen.thing(place[0]).never_null
    ]
    for table in dict.fromkeys(table for table, _ in open_ones):
        names = [column for of, column in open_ones if of == table]
        if proof_name(names) in seen.ahead.of(table).constraints_dropped:
            continue
        where = " or ".join(map(shown, names))
        yield Found(
            f"nobody can read or write {table} while all of it is searched for a null in {where}, "
            "unless a validated CHECK proves that there is none; a null makes it fail",
            (table,),
            subject=f"{table}.{','.join(names)}",
            instead="Prove first, by a CHECK that is added NOT VALID and validated, that there are no nulls.",
            safer_sql=written(set_not_null(table, *names)),
        )


def _columns(action: a.Action) -> Iterator[tuple[Name, str]]:
    match action:
        case a.SetNotNull(table=table, column=column):
            yield table, column
        case a.AddConstraint(table=table, constraint=a.Constraint(kind="not null", not_valid=False, columns=columns)):
            yield from ((table, column) for column in columns)


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
    about=(a.AddConstraint, a.SetNotNull),
    check=check,
)
