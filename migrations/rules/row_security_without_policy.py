"""ENABLE ROW LEVEL SECURITY without a policy: everybody but the owner finds the table empty."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """On a table that was there before, where the script makes no policy for it."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what="enable row security"):
                if seen.is_new(table) or seen.ahead.of(table).has_policy:
                    continue
                yield Found(
                    f"unless {table} has a policy already, every role but its owner finds it empty and cannot write to "
                    "it; if the app is the owner, this changes nothing for it",
                    (table,),
                    subject=str(table),
                    instead=f"First CREATE POLICY … ON {table}, for what each role may do, in the same script.",
                )


RULE = Rule(
    code="row-security-without-policy",
    title="Hides all rows of a table",
    severity="warn",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    safer="CREATE POLICY own ON t USING (c > 0); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    source="https://www.postgresql.org/docs/current/ddl-rowsecurity.html",
    about=(a.AlterTable,),
    check=check,
)
