"""DISABLE ROW LEVEL SECURITY: every role that may read the table sees all of its rows."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """NO FORCE shows them to the owner."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what="disable row security" | "no force row security" as what):
                if seen.is_new(table):
                    continue
                who = "the owner" if what.startswith("no") else "every role with privileges on it"
                yield Found(
                    f"{who} sees and changes all rows of {table} from now on, whatever its policies say",
                    (table,),
                    subject=str(table),
                    instead=f"CREATE POLICY … ON {table}, for the role and the rows that are meant.",
                )


RULE = Rule(
    code="row-security-off",
    title="Shows all rows of a table",
    severity="warn",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    risky="ALTER TABLE t DISABLE ROW LEVEL SECURITY",
    safer="CREATE POLICY own ON t TO pg_monitor USING (c > 0)",
    source="https://www.postgresql.org/docs/current/ddl-rowsecurity.html",
    about=(a.AlterTable,),
    check=check,
)
