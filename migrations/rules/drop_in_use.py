"""A column, table or view is dropped that something else still needs: it fails, or CASCADE takes that along."""

from collections.abc import Iterator, Sequence

from migrations.impact.foreseen import Foreseen, Gone
from migrations.impact.known import Dependent
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import shown

KINDS = ("table", "foreign table", "view", "materialized view", "sequence")
NAMED = 5


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """Only the target knows of views, functions and foreign keys that no pending script speaks of.

    What one DROP names goes at once; the parts of an ALTER TABLE go one after another.
    """
    gone = Gone()
    gone.take_in((action for action in statement.actions if isinstance(action, a.Drop)), foreseen)
    for action in statement.actions:
        match action:
            case a.DropColumn(table=table, column=column, cascade=cascade):
                needed = [d for d in _left(table, foreseen, gone) if d.column == foreseen.column(table, column)]
                yield from _found(f"column {shown(column)} of {table}", table, f"{table}.{column}", needed, cascade)
            case a.Drop(kind=kind, name=name, cascade=cascade) if kind in KINDS:
                relation = foreseen.relation(name)
                needed = [d for d in _left(name, foreseen, gone) if relation is None or d.of != relation.name]
                yield from _found(f"{kind} {name}", name, str(name), needed, cascade)
        gone.take_in((action,), foreseen)


def _left(table: Name, foreseen: Foreseen, gone: Gone) -> list[Dependent]:
    """What depends on it still when the statement's turn comes, if it is known what came before."""
    relation = foreseen.relation(table)
    if relation is None or not foreseen.certain:
        return []
    return [d for d in relation.dependents if not foreseen.gone.holds(d) and not gone.holds(d)]


def listed(dependents: Sequence[Dependent]) -> str:
    """Some of them, in the server's words."""
    words = sorted({dependent.words for dependent in dependents})
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def _found(what: str, table: Name, subject: str, needed: Sequence[Dependent], cascade: bool) -> Iterator[Found]:
    if not needed:
        return
    one = len({dependent.words for dependent in needed}) == 1
    if cascade:
        yield Found(
            f"on this target CASCADE takes along {listed(needed)}, which need{'s' * one} {what}",
            (table,),
            subject=subject,
            instead="Drop or change each of them by a statement of its own, so that it is seen which they are.",
            severity="warn",
        )
    else:
        yield Found(
            f"fails on this target: {listed(needed)} need{'s' * one} {what}",
            (table,),
            subject=subject,
            instead="Drop or change what needs it first, in this script or in one before it.",
        )


RULE = Rule(
    code="drop-in-use",
    title="Drops what something else on the target needs",
    severity="stop",
    fails="2BP01",
    setup="CREATE TABLE t (c int, d int); CREATE VIEW v AS SELECT c FROM t",
    risky="ALTER TABLE t DROP COLUMN c",
    safer="DROP VIEW v; ALTER TABLE t DROP COLUMN c",
    source="https://www.postgresql.org/docs/current/ddl-depend.html",
    look=look,
)
