"""CREATE RULE: queries of the table are written anew, by ways that surprise; nobody reads or writes it meanwhile."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """On a table or view that was there before."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what="create rule", name=str(name)):
                if seen.is_new(table) or seen.is_made("view", table):
                    continue
                yield Found(
                    f"nobody can read or write {table} from here to the end of the transaction; after it, rule "
                    f"{shown(name)} rewrites their statements: what they call may be called twice, RETURNING and the "
                    "number of rows may not be what the app expects",
                    (table,),
                    subject=f"{table}.{name}",
                    instead="A trigger sees each row once, and on a view INSTEAD OF does the same; to create one keeps "
                    "out writers only.",
                )


RULE = Rule(
    code="create-rule",
    title="Rewrites other people's statements",
    severity="warn",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    risky="CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    safer="CREATE TRIGGER g BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    source="https://www.postgresql.org/docs/current/rules-triggers.html",
    about=(a.AlterTable,),
    check=check,
)
