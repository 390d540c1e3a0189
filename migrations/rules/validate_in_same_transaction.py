"""NOT VALID and VALIDATE in one transaction: the lock of the first is held through the scan of the second."""

from collections.abc import Iterator
from itertools import chain

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every constraint that was added earlier in the transaction, to a table that was there before."""
    for action in statement.actions:
        match action:
            case a.ValidateConstraint(table=table, constraint=name) if not seen.is_new(table):
                made = seen.ahead.of(table).constraints.get(name) is not None
                if made and any(_adds(earlier, action) for earlier in chain([statement], seen.before(statement))):
                    yield Found(
                        f"validates {shown(name)} while the lock that added it is still held: "
                        "NOT VALID gains nothing in one transaction",
                        (table,),
                        subject=f"{table}.{name}",
                        instead="Put VALIDATE CONSTRAINT into a migration of its own, after this one.",
                        safer_sql=f"ALTER TABLE {table} VALIDATE CONSTRAINT {shown(name)};",
                    )


def _adds(statement: Statement, wanted: a.ValidateConstraint) -> bool:
    return any(
        isinstance(x, a.AddConstraint)
        and x.table.key == wanted.table.key
        and x.constraint.name == wanted.constraint
        and x.constraint.not_valid
        for x in statement.actions
    )


RULE = Rule(
    code="validate-in-same-transaction",
    title="Validates a constraint in the transaction that added it",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT k",
    safer="ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0) NOT VALID",
    source="https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES",
    about=(a.AddConstraint, a.ValidateConstraint),
    check=check,
)
