"""DISABLE TRIGGER: nobody writes to the table, and what the trigger keeps in order is not kept."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown

_FORMS = ("disable trigger", "disable trigger all", "disable trigger user")


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """On a table that was there before. ALL are the server's own, too: those that keep foreign keys."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what=what, name=name) if what in _FORMS and not seen.is_new(table):
                silent = f"its trigger {shown(name)} does not fire" if name else "none of its triggers fires"
                keys = ", foreign keys are not checked" if what == "disable trigger all" else ""
                yield Found(
                    f"nobody can write to {table} from here to the end of the transaction; {silent}{keys} for what the "
                    "script writes to it meanwhile, and nothing makes up for that later",
                    (table,),
                    subject=f"{table}.{name or what}",
                    instead="Where only this script's own writes should pass, let the trigger's function look at a "
                    "setting that the script makes by SET LOCAL.",
                )


RULE = Rule(
    code="trigger-disable",
    title="Switches a trigger off",
    severity="warn",
    breaks=True,
    lock=Lock.SHARE_ROW_EXCLUSIVE,
    blocks="writes",
    setup="CREATE TABLE t (c int); "
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    risky="ALTER TABLE t DISABLE TRIGGER g; ALTER TABLE t ENABLE TRIGGER g",
    safer="SET LOCAL app.quiet = 'on'",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AlterTable,),
    check=check,
)
