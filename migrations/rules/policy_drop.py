"""DROP POLICY without another in its place: roles see fewer rows than the app counts on, or more than they should."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a table that was there before, and stays, and gets no policy in this script."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what="drop policy", name=str(name)):
                fate = seen.ahead.of(table)
                if seen.is_new(table) or fate.is_dropped or fate.has_policy:
                    continue
                yield Found(
                    f"roles see and change other rows of {table} from now on: those that policy {shown(name)} let "
                    "through are hidden, or those that it kept back are shown, if it was a restrictive one",
                    (table,),
                    subject=f"{table}.{name}",
                    instead="Make the policy that takes its place in the same transaction, or change this one by "
                    "ALTER POLICY.",
                )


RULE = Rule(
    code="policy-drop",
    title="Drops a policy, and puts none in its place",
    severity="warn",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (c > 0)",
    risky="DROP POLICY p ON t",
    safer="DROP POLICY p ON t; CREATE POLICY q ON t USING (c > 1)",
    source="https://www.postgresql.org/docs/current/sql-droppolicy.html",
    about=(a.AlterTable,),
    check=check,
)
