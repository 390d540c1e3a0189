"""What a migration does that no statement takes back, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from migrations.catalog.diff import Difference, cut, shown
from migrations.drafting.back import Undone
from migrations.drafting.forth import LEAVES_IT
from migrations.sql import Statement
from migrations.sql import actions as a

NO_TRACE = "it changed nothing in the replayed schema; what it does beside that is not taken back"
ROWS = "the rows that it changed stay as they are now"
ENUM = "PostgreSQL takes no value out of an enum again"
CODE = "what its code did to the schema of an empty database is taken back; what it does to rows, or elsewhere, is not"
BACKUP = "only a backup has them"
SILENT = (a.Set, a.Transaction, a.Maintain, a.LockTable, a.Comment, a.Reindex)
"""Nothing is missed where these leave no trace."""
ROW_CHANGES = (a.Insert, a.Update, a.Delete, a.Merge)


@dataclass(frozen=True, slots=True)
class Left:
    """`what` of a script is not taken back, from `line` on, and `why`."""

    line: int
    what: str
    why: str


def left_of(undone: Undone) -> Iterator[Left]:
    """Of one stretch, in the order of its lines."""
    stretch = undone.stretch
    for statement in stretch.statements:
        reasons = list(dict.fromkeys(_reasons(statement)))
        if not reasons and stretch.was == stretch.is_ and not undone.steps and not _silent(statement):
            reasons = [NO_TRACE]
        yield from (Left(statement.line, statement.summary, why) for why in reasons)
    first = stretch.statements[0]
    for each, said in undone.left:
        if each.kind != "enum" or each.attribute != "labels":
            yield Left(first.line, first.summary, _unknown(each, said))


def _unknown(each: Difference, said: str) -> str:
    thing = f"{each.kind} {shown(each.name)}" + f" ({each.attribute})" * bool(each.attribute)
    change = f" was: {cut(each.was)}" if each.attribute else ""
    server = f"; PostgreSQL says: {cut(said)}" if said else ""
    return f"gonogo knows no statement that brings {thing} back as it{change or ' was'}{server}"


def _reasons(statement: Statement) -> Iterator[str]:
    if statement.why_not:
        yield f"not analysed: {statement.why_not}"
    for action in statement.certain:
        match action:
            case a.Drop(kind="table" | "foreign table"):
                yield f"the rows of {action.name} are lost: it comes back empty, and {BACKUP}"
            case a.Drop(kind="schema" | "all that is owned by"):
                yield f"rows in tables of {action.name} are lost, and {BACKUP}"
            case a.DropColumn():
                yield f"the values of {action.table}.{action.column} are lost: it comes back empty, and {BACKUP}"
            case a.Truncate():
                yield f"the rows of {action.table} are lost, and {BACKUP}"
            case a.AlterType(computed=True) | a.AlterType(using=True):
                yield f"values of {action.column} come back by a cast: what the USING computed is not computed back"
            case a.AlterType():
                yield f"values of {action.column} come back by a cast: what was cut off or rounded stays so"
            case a.AddEnumValue():
                yield ENUM
            case a.RunCode():
                yield CODE
            case a.Call():
                yield "what it calls may have changed rows, or anything else"
            case a.Copy(into=True):
                yield ROWS
            case _ if isinstance(action, ROW_CHANGES):
                yield ROWS
            case a.Query(calls=calls) if calls and not statement.why_not:
                yield f"what {', '.join(calls)} did beside the schema is not known"
            case _:
                pass


def _silent(statement: Statement) -> bool:
    return all(_leaves_nothing(action) for action in statement.actions)


def _leaves_nothing(action: a.Action) -> bool:
    match action:
        case a.Query(calls=()) | a.CreateTable(temporary=True):
            return True
    return isinstance(action, SILENT)


assert set(ROW_CHANGES) <= set(LEAVES_IT)
