"""A trigger dropped and created anew: readers wait as well, and outside a transaction rows slip through between."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import in_one
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.words import bare, find, put_after, words_of


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every dropped trigger that a later statement creates. A constraint trigger cannot be replaced."""
    for action in statement.actions:
        match action:
            case a.AlterTable(table=table, what="drop trigger", name=str(name)):
                made = seen.ahead.of(table).triggers.get(name, -1)
                if made < statement.index or seen.is_new(table) or seen.ahead.of(table).is_dropped:
                    continue
                text = seen.script.statements[made].text
                yield Found(
                    f"nobody can read or write {table} from here to the end of the transaction; without one, what is "
                    f"written before trigger {shown(name)} is there again passes it by",
                    (table,),
                    subject=f"{table}.{name}",
                    instead="CREATE OR REPLACE TRIGGER alone (PostgreSQL 14) keeps out writers only, without a gap.",
                    safer_sql=in_one(_replacing(text)),
                )


def _replacing(text: str) -> str:
    words = words_of(text)
    if find(words, "CREATE", "OR", "REPLACE", "TRIGGER") == 0:
        return bare(text)
    return put_after(text, ("CREATE",), "OR REPLACE") if find(words, "CREATE", "TRIGGER") == 0 else ""


RULE = Rule(
    code="trigger-recreated",
    title="Drops a trigger and creates it again",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    supersedes=("trigger-drop",),
    setup="CREATE TABLE t (c int); "
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    risky="DROP TRIGGER g ON t; CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    safer="CREATE OR REPLACE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    since=14,
    source="https://www.postgresql.org/docs/current/sql-createtrigger.html",
    about=(a.AlterTable,),
    check=check,
)
