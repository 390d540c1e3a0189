"""How long each statement of a script may take, and how long its locks are held: until its transaction ends."""

from collections.abc import Mapping, Sequence

from migrations.impact.estimate import BRIEF, UNKNOWN, Span, of_rows, rows, span
from migrations.impact.known import Relation
from migrations.impact.settle import Settled
from migrations.sql import Name, Script, Statement
from migrations.sql import actions as a
from migrations.sql.transactions import transactions


def until_end(script: Script, spans: Sequence[Span]) -> list[Span]:
    """From the start of each statement to the end of the transaction that it is in."""
    numbers = transactions(script)
    found = list(spans)
    after: dict[int, Span] = {}
    for index in range(len(spans) - 1, -1, -1):
        number = numbers[index]
        if number is not None:
            found[index] = after[number] = spans[index] + after[number] if number in after else spans[index]
    return found


def took(statement: Statement, touches: Sequence[Settled], relations: Mapping[Name, Relation]) -> Span:
    """How long a statement may take. `relations` holds the tables of the indexes among the touches."""
    if statement.why_not or any(_runs_on(action) for action in statement.actions):
        return UNKNOWN
    longest: dict[Name | str, Span] = {}
    for touch in touches:
        relation = touch.relation
        if relation is not None and relation.table is not None:
            relation = relations.get(relation.table)
        where = relation.name if relation else touch.shown
        one = _of_data(statement, relation) if touch.work == "data" else span(touch.work, relation)
        longest[where] = max(longest.get(where, one), one, key=_length)
    return sum(longest.values(), start=_of_new_rows(statement, touches))


def _length(span: Span) -> tuple[int, bool, int]:
    return (span.least, span.most is None, span.most or 0)


def _runs_on(action: a.Action) -> bool:
    """What takes as long as a query does, of which nothing is known."""
    match action:
        case a.CreateTable(filled=True) | a.Insert(rows=0) | a.Copy() | a.Merge():
            return True
        case a.Query(reads=reads):
            return bool(reads)
        case a.Maintain(what=what):
            return what == "refresh materialized view"
    return False


def _of_data(statement: Statement, relation: Relation | None) -> Span:
    if relation is None:
        return UNKNOWN
    changes = [action for action in statement.actions if isinstance(action, a.Update | a.Delete)]
    if any(action.everything for action in changes):
        return rows(relation)
    return Span(BRIEF.least, rows(relation).most) if changes else BRIEF


def _of_new_rows(statement: Statement, touches: Sequence[Settled]) -> Span:
    count = sum(action.rows for action in statement.actions if isinstance(action, a.Insert))
    return of_rows(count) if count else Span() if touches else BRIEF
