"""RENAME CONSTRAINT: code that names it, as ON CONFLICT ON CONSTRAINT does, does not find it any more."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Said once of all that a script renames: generators rename them by the dozen."""
    for action in statement.actions:
        match action:
            case a.Rename(kind="constraint", table=table, old=str(old), new=new) if not seen.is_new(table):
                renamed = seen.ahead.renamed_constraints
                if renamed[0] != (table, old):
                    continue
                others = f" (and {len(renamed) - 1} more in this script)" * (len(renamed) > 1)
                yield Found(
                    f"who names constraint {shown(old)} of {table}, in ON CONFLICT ON CONSTRAINT or to tell what an "
                    f"error means, will not find it any more: it is {shown(new)} now{others}",
                    tuple(dict.fromkeys(name for name, _ in renamed)),
                    subject=f"{table}.{old}",
                    instead="Look for the old name in what runs now.",
                )


RULE = Rule(
    code="constraint-rename",
    title="Renames a constraint that may be named elsewhere",
    severity="note",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int CONSTRAINT k CHECK (c > 0))",
    risky="ALTER TABLE t RENAME CONSTRAINT k TO l",
    safer="ALTER TABLE t ALTER COLUMN c SET DEFAULT 1",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.Rename,),
    check=check,
)
