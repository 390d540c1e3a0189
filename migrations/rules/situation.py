"""A script between two statements, with the locks that its transactions hold."""

from itertools import takewhile

from migrations.locks import Lock, Touch, touches_of
from migrations.rules.likeness import Likeness
from migrations.sql import Name, Script, Statement
from migrations.sql.seen import Key, Seen


class Situation(Seen):
    """What rules look at: what the script has done before a statement, and what it still holds."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.likeness = Likeness(self)
        self._touches = touches_of(script)
        self._held: dict[Key, tuple[Touch, Statement]] = {}
        self._held_in: int | None = None
        self._shut = [s.index for s in script.statements if self.keeps_others_out(s)]
        self._set_first: dict[str, int] = {}
        for statement in script.statements:
            for setting in statement.facts.sets:
                self._set_first.setdefault(setting, statement.index)
        self._changed_in = {
            number
            for statement in script.statements
            if (number := self.transaction(statement)) is not None and self.defines(statement)
        }

    def touches(self, statement: Statement) -> tuple[Touch, ...]:
        """What a statement does to what was there before the script."""
        return self._touches[statement.index]

    def is_anything_closed(self, statement: Statement) -> bool:
        """Whether there is a table that nobody can read now, because of an earlier statement of this transaction."""
        return bool(self._held) and self.transaction(statement) == self._held_in

    def is_closed(self, table: Name) -> bool:
        """Whether it is one of these."""
        return table.key in self._held

    def closed(self, statement: Statement, since: int = 0) -> list[tuple[Touch, Statement]]:
        """These tables, each with the statement that locked it first, which has at least the index `since`."""
        if not self.is_anything_closed(statement):
            return []
        found = list(takewhile(lambda one: one[1].index >= since, reversed(self._held.values())))
        return found[::-1]

    def shares_with_ddl(self, statement: Statement) -> bool:
        """Whether the statement, or one of the same transaction, changes the definition of a table that was there."""
        return self.transaction(statement) in self._changed_in or self.defines(statement)

    def defines(self, statement: Statement) -> bool:
        """Whether a statement changes the definition of something that was there before."""
        return any(touch.work != "data" and touch.lock.blocks for touch in self.touches(statement))

    def keeps_others_out(self, statement: Statement) -> bool:
        """Whether a statement keeps others from reading or writing something that was there before."""
        return any(touch.lock.blocks not in ("", "DDL") for touch in self.touches(statement))

    def keeps_others_out_before(self, statement: Statement) -> bool:
        """Whether an earlier statement of the script does."""
        return bool(self._shut) and self._shut[0] < statement.index

    def keeps_others_out_after(self, statement: Statement) -> bool:
        """Whether a later statement of the script does."""
        return bool(self._shut) and self._shut[-1] > statement.index

    def sets_before(self, statement: Statement, setting: str) -> bool:
        """Whether an earlier statement changes a session setting."""
        return self._set_first.get(setting, statement.index) < statement.index

    def take_in(self, statement: Statement) -> None:
        """The statement is behind us now; its locks are held until its transaction ends."""
        super().take_in(statement)
        number = self.transaction(statement)
        if number != self._held_in:
            self._held, self._held_in = {}, number
        if number is not None:
            for touch in self.touches(statement):
                if touch.lock is Lock.ACCESS_EXCLUSIVE and touch.through is None:
                    self._held.setdefault(touch.relation.key, (touch, statement))
