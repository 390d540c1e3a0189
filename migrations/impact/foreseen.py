"""What the target will hold when a statement's turn comes: what it holds now, and what was done by then."""

from migrations.impact.known import Known, KnownType, Relation
from migrations.locks.track import Track
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import Name


class Foreseen:
    """Goes along with all pending scripts, statement by statement. `known` is None where no target was asked."""

    def __init__(self, known: Known | None = None) -> None:
        self.known = known
        self.track = Track()
        self._gone: set[Name] = set()
        self._perhaps: set[tuple[str, str]] = set()  # made, unless they were there already
        self._filled: set[tuple[str, str]] = set()

    def is_new(self, name: Name) -> bool:
        """A pending script certainly made what bears this name now: nobody uses it yet."""
        return self.track.peek(name).before is None and name.key not in self._perhaps

    def is_empty(self, name: Name) -> bool:
        """There are no rows in it: a pending script made it and puts none in, or it was never written to."""
        if name.key in self._filled:
            return False
        relation = self.relation(name)
        return relation.empty if relation else self.is_new(name)

    def is_gone(self, name: Name) -> bool:
        """A pending script has dropped what the target calls so by its full name."""
        return name in self._gone

    def relation(self, name: Name) -> Relation | None:
        """What bears this name now, as the target knows it; None if it is new or not known."""
        before = self.track.peek(name).before
        return self.known.relation(before) if self.known and before else None

    def type(self, name: Name) -> KnownType | None:
        """The same for a type or domain."""
        before = self.track.peek(name, "type").before
        return self.known.type(before) if self.known and before else None

    def column(self, table: Name, column: str) -> str | None:
        """What the target calls a column; None if a pending script made it."""
        columns = self.track.peek(table).columns
        return columns.get(column, column)

    def take_in(self, statement: Statement) -> None:
        """The statement is behind us now."""
        for action in statement.actions:
            if isinstance(action, a.Drop) and (relation := self.relation(action.name)):
                self._gone.add(relation.name)
            match action:
                case a.CreateTable(table=table, filled=True) | a.Insert(table=table) | a.Merge(table=table):
                    self._filled.add(table.key)
                case a.Copy(table=Name() as table, into=True):
                    self._filled.add(table.key)
                case a.CreateTable(table=table, if_not_exists=True) if self._may_be_there(table):
                    self._perhaps.add(table.key)
                    continue
            self.track.take_in(action)

    def _may_be_there(self, table: Name) -> bool:
        return self.known is None or self.known.relation(table) is not None
