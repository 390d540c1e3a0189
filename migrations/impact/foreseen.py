"""What the target will hold when a statement's turn comes: what it holds now, and what was done by then."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from migrations.impact.known import Dependent, Known, KnownType, Relation
from migrations.locks import Touch
from migrations.locks.touches import touched
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import Name
from migrations.sql.state import State
from migrations.sql.undo import Undo

_PARTS = ("drop trigger", "drop policy", "drop rule")


@dataclass(slots=True)
class Gone:
    """What scripts have dropped, or made anew, of what the target holds: by full names."""

    relations: dict[Name, bool] = field(default_factory=dict)
    parts: dict[tuple[Name, str], bool] = field(default_factory=dict)
    functions: dict[str, bool] = field(default_factory=dict)
    _undo: Undo = field(default_factory=Undo)

    def holds(self, dependent: Dependent) -> bool:
        """Whether something that depended on a relation does so no more."""
        if dependent.name in self.relations or dependent.of in self.relations:
            return True
        if dependent.of is not None and (dependent.of, dependent.part) in self.parts:
            return True
        kind, _, name = dependent.words.partition(" ")
        return kind in ("function", "procedure") and name.partition("(")[0].rpartition(".")[2] in self.functions

    def take_in(self, actions: Iterable[a.Action], foreseen: "Foreseen") -> None:
        """What some actions do away with."""
        for action in actions:
            match action:
                case a.Transaction():
                    self._undo.take_in(action)
                case a.Drop(kind="function" | "procedure", name=name):
                    self._undo.put(self.functions, name.name, True)
                case a.Drop(name=name) | a.Create(kind="view", name=name) if relation := foreseen.relation(name):
                    self._undo.put(self.relations, relation.name, True)
                case a.DropConstraint(table=table, constraint=part):
                    self._part(foreseen.relation(table), part)
                case a.DropColumn(table=table, column=part) | a.SetDefault(table=table, column=part):
                    self._part(foreseen.relation(table), part)
                case a.AlterTable(table=table, what=what, name=str(part)) if what in _PARTS:
                    self._part(foreseen.relation(table), part)

    def _part(self, relation: Relation | None, part: str) -> None:
        if relation:
            self._undo.put(self.parts, (relation.name, part), True)


class Foreseen:
    """Goes along with all pending scripts, statement by statement. `known` is None where no target was asked.

    `certain`: of all statements so far it is known what they do.
    """

    def __init__(self, known: Known | None = None) -> None:
        self.known = known
        self.state = State()
        self.gone = Gone()
        self.certain = True

    def is_new(self, name: Name) -> bool:
        """A pending script certainly made what bears this name now: nobody uses it yet."""
        return self.state.thing(name).before is None

    def is_unused(self, name: Name) -> bool:
        """It is new, and its name too: what takes the place of something is used as soon as it is there."""
        return self.is_new(name) and (self.known is None or self.known.relation(name) is None)

    def keeps(self, name: Name) -> bool:
        """A pending script put rows of the target into it: they may be nowhere else."""
        return self.state.thing(name).keeps

    def is_empty(self, name: Name) -> bool:
        """There are no rows in it: a pending script made it and puts none in, or it was never written to."""
        if self.state.thing(name).filled:
            return False
        relation = self.relation(name)
        return relation.empty if relation else self.is_new(name)

    def relation(self, name: Name) -> Relation | None:
        """What bears this name now, as the target knows it; None if it is new or not known."""
        before = self.state.thing(name).before
        return self.known.relation(before) if self.known and before else None

    def type(self, name: Name) -> KnownType | None:
        """The same for a type or domain."""
        before = self.state.thing(name, "type").before
        return self.known.type(before) if self.known and before else None

    def column(self, table: Name, column: str) -> str | None:
        """What the target calls a column; None if a pending script made it."""
        return self.state.thing(table).column(column)

    def is_indexed(self, table: Name, columns: tuple[str, ...]) -> bool:
        """Whether an index begins with these columns, in any order: on the target, or made by a pending script."""
        relation = self.relation(table)
        there = [index.columns for index in relation.indexes if index.valid and not index.partial] if relation else []
        made = (index.columns for index in self.state.thing(table).indexes if not index.partial)
        return any(set(one[: len(columns)]) == set(columns) for one in (*there, *made))

    def take_in(self, statement: Statement) -> tuple[Touch, ...]:
        """The statement is behind us now. What it touched comes back."""
        self.gone.take_in(statement.actions, self)
        self.certain = self.certain and statement.analysed
        return touched(map(self._decided, statement.actions), self.state)

    def _decided(self, action: a.Action) -> a.Action:
        """What is made if it is not there yet is certainly made where the target does not have it."""
        match action:
            case (
                a.CreateTable(table=name, if_not_exists=True) | a.CreateIndex(index=Name() as name, if_not_exists=True)
            ):
                if self._lacks(name):
                    return replace(action, if_not_exists=False)
        return action

    def _lacks(self, name: Name) -> bool:
        """The target was asked, and has nothing that would bear the name now."""
        told = self.known is not None and not self.known.missing
        return told and not self.is_new(name) and self.relation(name) is None
