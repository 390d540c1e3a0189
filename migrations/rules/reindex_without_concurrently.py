"""REINDEX: writers wait for every index of the table, and readers for the one that is being built."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import ALONE, in_one
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.words import put_after

_KINDS = ("INDEX", "TABLE", "SCHEMA", "DATABASE")


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of the system's own catalogs there is no CONCURRENTLY."""
    for action in statement.actions:
        match action:
            case a.Reindex(kind=kind, name=name, concurrently=False) if not _is_new(kind, name, seen):
                yield Found(
                    f"nobody can write to {_words(kind, name, seen)} until the index is built anew, and readers wait "
                    "too: a query looks at every index of its tables",
                    _tables(kind, name, seen),
                    subject=str(name or kind),
                    instead="CONCURRENTLY, in a migration of its own, which the system's own catalogs do not have. If "
                    "it fails, it leaves an INVALID index with a name in _ccnew: drop that.",
                    safer_sql=in_one(put_after(statement.text, _KINDS, "CONCURRENTLY"), when=ALONE),
                )


def _tables(kind: a.ReindexKind, name: Name | None, seen: Situation) -> tuple[Name, ...]:
    table = name if kind == "table" or name is None else seen.index_on(name) if kind == "index" else None
    return (table,) if table else ()


def _is_new(kind: a.ReindexKind, name: Name | None, seen: Situation) -> bool:
    return any(seen.is_new(table) for table in _tables(kind, name, seen))


def _words(kind: a.ReindexKind, name: Name | None, seen: Situation) -> str:
    for table in _tables(kind, name, seen):
        return str(table)
    if kind == "index":
        return f"the table of index {name}"
    if kind == "system":
        return "the system's own catalogs"
    return f"any table of {kind} {name or ''}, one after the other,"


RULE = Rule(
    code="reindex-without-concurrently",
    title="Builds indexes anew while writers and readers wait",
    severity="warn",
    lock=Lock.SHARE,
    blocks="writes",
    setup="CREATE TABLE t (c int); CREATE INDEX i ON t (c)",
    risky="REINDEX TABLE t",
    safer="REINDEX TABLE CONCURRENTLY t",
    source="https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY",
    about=(a.Reindex,),
    check=check,
)
