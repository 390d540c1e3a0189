"""RENAME of a table or a column: the app that runs now does not know the new name."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import kept_as_view
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted, shown
from migrations.sql.thing import READ


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """What the script made itself, nobody uses yet; and what it gives the old name to is found instead."""
    for action in statement.actions:
        match action:
            case a.Rename(kind="column", table=table, old=str(old), new=new):
                if not seen.is_new(table) and not seen.is_new_column(table, old):
                    what = f"column {shown(old)} of {table}"
                    if seen.ahead.of(table).columns.get(old):
                        yield _other(what, table, new, f"{table}.{old}")
                        continue
                    slowly = "Add the new column, write to both, fill it in batches, read from it, drop the old one."
                    yield _gone(what, table, new, slowly, subject=f"{table}.{old}")
            case a.Rename(kind=kind, table=table, new=new) if kind in READ:
                if not seen.is_new(table) and seen.ahead.of(table).viewed <= statement.index:
                    if seen.ahead.of(table).named > statement.index:
                        yield _other(f"{kind} {table}", table, new, str(table))
                    else:
                        yield _table(kind, table, new)


def _other(what: str, table: Name, new: str, subject: str) -> Found:
    return Found(
        f"the running app will find another {what} in place of this one, which is {shown(new)} now",
        (table,),
        subject=subject,
        instead="See that all that the app reads is in the new one before the script ends.",
    )


def _table(kind: str, table: Name, new: str) -> Found:
    view = kept_as_view(f"ALTER {kind.upper()} {table.sql} RENAME TO {quoted(new)}", table, Name(table.schema, new))
    slowly = "Keep the old name as a view, with the same grants, until no version that uses it runs."
    return _gone(f"{kind} {table}", table, new, slowly, safer_sql=view)


def _gone(what: str, table: Name, new: str, instead: str, subject: str = "", safer_sql: str = "") -> Found:
    return Found(
        f"the running app will not find {what} any more: it is {shown(new)} now",
        (table,),
        subject=subject or str(table),
        instead=instead,
        safer_sql=safer_sql,
    )


RULE = Rule(
    code="rename",
    title="Renames what the running app uses",
    severity="warn",
    breaks=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t RENAME TO u",
    safer="ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.Rename,),
    check=check,
)
