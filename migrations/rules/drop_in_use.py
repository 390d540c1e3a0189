"""A column, table or view is dropped that something else still needs: it fails, or CASCADE takes that along."""

from collections.abc import Iterator, Sequence

from migrations.impact.foreseen import Foreseen, Gone
from migrations.impact.known import Dependent, Relation
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
                known = _known(table, foreseen)
                left = _left(known.dependents if known else (), foreseen, gone)
                needed = [d for d in left if d.column == foreseen.column(table, column)]
                yield from _found(f"column {shown(column)} of {table}", table, f"{table}.{column}", needed, cascade)
            case a.Drop(kind=kind, name=name, cascade=cascade) if kind in KINDS:
                known = _known(name, foreseen)
                left = _left(known.dependents if known else (), foreseen, gone)
                needed = [d for d in left if known is None or d.of != known.name]
                swept = _left(known.swept if known else (), foreseen, gone)
                if cascade and swept:
                    yield _swept(f"{kind} {name}", name, swept)
                else:
                    yield from _found(f"{kind} {name}", name, str(name), needed, cascade)
        gone.take_in((action,), foreseen)


def _known(table: Name, foreseen: Foreseen) -> Relation | None:
    """As the target has it, if it is known what came before."""
    return foreseen.relation(table) if foreseen.certain else None


def _left(all_of: Sequence[Dependent], foreseen: Foreseen, gone: Gone) -> list[Dependent]:
    """What depends on it still when the statement's turn comes."""
    return [d for d in all_of if not foreseen.gone.holds(d) and not gone.holds(d)]


def listed(dependents: Sequence[Dependent]) -> str:
    """Some of them, in the server's words."""
    words = sorted({dependent.words for dependent in dependents})
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def _swept(what: str, name: Name, swept: Sequence[Dependent]) -> Found:
    return Found(
        f"on this target CASCADE takes along {listed(swept)}, with all that stands in there: {what} is behind it",
        (name,),
        subject=str(name),
        instead="Drop or change each of them by a statement of its own, so that it is seen which they are.",
        loses_data=True,
    )


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
