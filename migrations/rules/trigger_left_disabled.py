"""DISABLE TRIGGER without ENABLE: what the trigger keeps in order is not kept from now on."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted, shown
from migrations.sql.words import bare

_FORMS = {"disable trigger": "", "disable trigger all": "ALL", "disable trigger user": "USER"}


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Where no later statement switches it on again."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what=what, name=name) if what in _FORMS and not seen.is_new(table):
                if seen.ahead.of(table).switched_on(name) > statement.index:
                    continue
                which = quoted(name) if name else _FORMS[what]
                whose = f"trigger {shown(name)}" if name else "every trigger"
                keys = ", those that keep foreign keys among them" if what == "disable trigger all" else ""
                yield Found(
                    f"switches off {whose} of {table}{keys}, and the script does not switch it on again: what is "
                    "written from now on is not checked, nor will it be later",
                    (table,),
                    subject=f"{table}.{name or what}",
                    instead="Switch it on again in the same transaction.",
                    safer_sql=in_one(bare(statement.text), f"ALTER TABLE {table.sql} ENABLE TRIGGER {which}"),
                )


RULE = Rule(
    code="trigger-left-disabled",
    title="Switches a trigger off and leaves it off",
    severity="stop",
    supersedes=("trigger-disable",),
    setup="CREATE TABLE t (c int); "
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    risky="ALTER TABLE t DISABLE TRIGGER g",
    safer="ALTER TABLE t DISABLE TRIGGER g; ALTER TABLE t ENABLE TRIGGER g",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AlterTable,),
    check=check,
)
