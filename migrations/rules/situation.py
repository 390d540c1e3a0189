"""What rules look at: a script between two statements, with what comes later, and with the locks that are held."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from migrations.locks import Lock, Touch, touches_of
from migrations.rules.likeness import Likeness
from migrations.sql import Name, Script, Statement
from migrations.sql import actions as a
from migrations.sql.ahead import Ahead
from migrations.sql.names import Key
from migrations.sql.settings import Settings
from migrations.sql.state import State
from migrations.sql.thing import READ
from migrations.sql.transactions import transactions

Closed = dict[Key, tuple[Touch, Statement]]


@dataclass(frozen=True, slots=True)
class FreshValue:
    """A value that statement `by` adds to an enum which was there before."""

    type: Name
    value: str
    by: Statement


class Situation(State):
    """The state of a script between two statements; `ahead` is all of it. What is new in it is nobody's yet.

    `closed` are the tables that nobody can read now, each with the statement of this transaction that closed it first;
    what is dropped for good is not among them: nobody waits to read it.
    `kept_others_out`: some statement has kept others from reading or writing what was there before.
    """

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script
        self.ahead = Ahead(script)
        self.likeness = Likeness(self.ahead)
        self.settings = Settings()
        self.settings_changed: set[str] = set()
        self.kept_others_out = False
        self.closed: Closed = {}
        self._transactions = transactions(script)
        self._touches = touches_of(script)
        self._last_shut = max((s.index for s in script.statements if self.keeps_others_out(s)), default=-1)
        self._changed_in = {self.transaction(s) for s in script.statements if self.defines(s)} - {None}
        self._fresh: list[tuple[str, FreshValue]] = []
        self._made_here: dict[Key, bool] = {}  # what the next statement makes itself; whether that is certain
        self._turn_to(0)

    def is_new(self, table: Name) -> bool:
        """As before; a statement that does several things may make the table itself."""
        return super().is_new(table) or self._made_here.get(table.key, False)

    def is_perhaps_new(self, table: Name) -> bool:
        """The same, of what the statement makes unless it is there."""
        return super().is_perhaps_new(table) or not self._made_here.get(table.key, True)

    def index_on(self, index: Name) -> Name | None:
        """The table of an index that the script made, or makes later under the same name."""
        return super().index_on(index) or self.ahead.index_tables.get(index.key)

    def transaction(self, statement: Statement) -> int | None:
        """The number of the transaction that a statement runs in; None where it runs by itself."""
        return self._transactions[statement.index]

    def are_together(self, one: Statement, other: Statement) -> bool:
        """Whether two statements run in one transaction."""
        number = self.transaction(one)
        return number is not None and number == self.transaction(other)

    @cached_property
    def has_own_transactions(self) -> bool:
        """Whether there is a BEGIN in the script."""
        return any(statement.facts.control == "begin" for statement in self.script.statements)

    def before(self, statement: Statement) -> Iterator[Statement]:
        """The earlier statements of the same transaction, last first."""
        return self._together(statement, range(statement.index - 1, -1, -1))

    def after(self, statement: Statement) -> Iterator[Statement]:
        """The later statements of the same transaction."""
        return self._together(statement, range(statement.index + 1, len(self.script.statements)))

    def is_ended(self, statement: Statement) -> bool:
        """Whether a later statement ends the transaction that this one is in."""
        return any(later.facts.control in ("commit", "rollback") for later in self.after(statement))

    def touches(self, statement: Statement) -> tuple[Touch, ...]:
        """What a statement does to what was there before the script."""
        return self._touches[statement.index]

    def close(self, statement: Statement, closed: Closed) -> None:
        """Add the tables that nobody can read after a statement."""
        for touch in self.touches(statement):
            if touch.lock is Lock.ACCESS_EXCLUSIVE and touch.through is None and not self._goes(touch, statement):
                closed.setdefault(touch.relation.key, (touch, statement))

    def _goes(self, touch: Touch, by: Statement) -> bool:
        fate, key = self.ahead.of(touch.relation), touch.relation.key
        dropped = any(isinstance(x, a.Drop) and x.kind in READ and x.name.key == key for x in by.actions)
        return fate.is_dropped or (dropped and not fate.named > by.index)

    def shares_with_ddl(self, statement: Statement) -> bool:
        """Whether the statement, or one of the same transaction, changes the definition of a table that was there."""
        return self.transaction(statement) in self._changed_in or self.defines(statement)

    def defines(self, statement: Statement) -> bool:
        """Whether a statement changes the definition of something that was there before."""
        return any(touch.work != "data" and touch.lock.blocks for touch in self.touches(statement))

    def keeps_others_out(self, statement: Statement) -> bool:
        """Whether a statement keeps others from reading or writing something that was there before."""
        return any(touch.lock.blocks not in ("", "DDL") for touch in self.touches(statement))

    def keeps_others_out_after(self, statement: Statement) -> bool:
        """Whether a later statement of the script does."""
        return self._last_shut > statement.index

    def fresh_values_in(self, statement: Statement) -> Iterator[FreshValue]:
        """The new values of enums whose literal stands in a statement; not where it is there to add another one."""
        if self._fresh and statement.facts.adds_enum_value is None and "'" in statement.text:
            between = set(statement.text.split("'"))
            for literal, fresh in self._fresh:
                if (fresh.value in between or "'" in fresh.value) and literal in statement.text:
                    yield fresh

    def take_in(self, statement: Statement) -> None:
        """The statement is behind us now; its locks are held until its transaction ends."""
        for action in statement.actions:
            self.settings.take_in(action)
            if isinstance(action, a.AddEnumValue) and not self.is_made("type", action.type):
                literal = "'" + action.value.replace("'", "''") + "'"
                self._fresh.append((literal, FreshValue(action.type, action.value, statement)))
        super().take_in(statement)
        self.settings_changed.update(statement.facts.sets)
        self.kept_others_out = self.kept_others_out or self.keeps_others_out(statement)
        self.close(statement, self.closed)
        self._turn_to(statement.index + 1)

    def _turn_to(self, index: int) -> None:
        before, here = self.script.statements[max(index - 1, 0) : index], self.script.statements[index : index + 1]
        if not (before and here and self.are_together(before[0], here[0])):
            self.settings.end_transaction()
            self.closed.clear()
        actions = [action for statement in here for action in statement.actions]
        made = [x for x in actions if isinstance(x, a.CreateTable)] if len(actions) > 1 else []
        self._made_here = {x.table.key: not x.if_not_exists for x in made}

    def _together(self, statement: Statement, indexes: Iterable[int]) -> Iterator[Statement]:
        number = self.transaction(statement)
        same = takewhile(lambda index: number is not None and self._transactions[index] == number, indexes)
        return (self.script.statements[index] for index in same)
