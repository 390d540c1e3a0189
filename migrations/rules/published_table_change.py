"""A table is changed that subscribers receive through a logical slot: their copy of it must fit, or it stops."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """What changes names, columns and rows. An index or a default is each side's own."""
    slots = foreseen.known.slots if foreseen.known else ()
    for action in statement.actions if slots else ():
        said = _said(action)
        if said is None:
            continue
        table, what, instead = said
        relation = foreseen.relation(table)
        if relation is not None and relation.publications:
            names = ", ".join(map(shown, relation.publications))
            yield Found(
                f"{table} is published by {names}, and slot {', '.join(map(shown, slots))} reads it: {what}",
                (table,),
                subject=str(table),
                instead=instead,
            )


def _said(action: a.Action) -> tuple[Name, str, str] | None:
    """The table, what becomes of a subscriber, and what to do."""
    match action:
        case a.AddColumn(table=table, column=column):
            name = shown(column.name)
            what = f"a subscriber without {name} stops at the first row that is written after this"
            return table, what, f"Add {name} on every subscriber first."
        case a.DropColumn(table=table, column=column):
            name = shown(column)
            what = f"a subscriber that forbids null in {name} stops at the first row that is written after this"
            return table, what, f"Allow null in {name} on every subscriber first, and drop it there after this."
        case a.AlterType(table=table, column=column):
            what = f"a subscriber whose {shown(column)} cannot take the new values stops at the first one"
            return table, what, "Change the type on every subscriber first."
        case a.Rename(kind="table" | "column", table=table) | a.MoveToSchema(kind="table", name=table):
            what = "a subscriber looks for the new name, and stops where there is none"
            return table, what, "Let the subscribers take in all that was written, and rename on both sides at once."
        case a.Drop(kind="table", name=table):
            return table, "it stays on the subscribers, with its rows", "Drop it there after this."
        case a.Truncate(table=table):
            what = "the subscribers empty theirs too, unless the publication leaves TRUNCATE out"
            return table, what, "Make sure that this is meant for the subscribers as well."
    return None


RULE = Rule(
    code="published-table-change",
    title="Changes a table that subscribers receive",
    severity="warn",
    setup="SELECT pg_create_logical_replication_slot('gonogo_' || current_database(), 'pgoutput'); "
    "CREATE TABLE t (c int); CREATE PUBLICATION p FOR TABLE t",
    risky="ALTER TABLE t ADD COLUMN d int",
    safer="ALTER TABLE t ALTER COLUMN c SET DEFAULT 1",
    source="https://www.postgresql.org/docs/current/logical-replication-restrictions.html",
    look=look,
)
