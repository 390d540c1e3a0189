"""What a script has done before the statement that is judged, and what it will do after it."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import takewhile

from migrations.sql import actions as a
from migrations.sql.actions import Action
from migrations.sql.made import Made
from migrations.sql.names import Name
from migrations.sql.script import Script, Statement
from migrations.sql.things import Things
from migrations.sql.transactions import transactions

Key = tuple[str, str]


class Seen:
    """The state of a script between two statements. What is new in it is nobody's yet."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.made = Made(script)
        self.things = Things(script.statements)
        self._transactions = transactions(script)
        self._new: dict[Key, bool] = {}  # whether it is certain that the script made it
        self._new_here: set[Key] = set()  # what the next statement makes itself, and may then work on
        self._columns: set[tuple[Key, str]] = set()
        self._not_null_checks: dict[tuple[Key, str], tuple[str, ...]] = {}
        self._never_null: set[tuple[Key, str]] = set()
        self._last_made: dict[Key, int] = {}
        self._made_empty: dict[Key, Name] = {}
        self._dropped: dict[Key, Name] = {}
        self._added: dict[Key, list[a.Column]] = {}
        self._filled: set[tuple[Key, str]] = set()
        for statement in script.statements:
            for action in statement.actions:
                self._look_ahead(statement.index, action)
        self._turn_to(0)

    def is_new(self, table: Name) -> bool:
        """This script made the table, unless it was there before its CREATE TABLE IF NOT EXISTS."""
        return table.key in self._new or table.key in self._new_here

    def is_certainly_new(self, table: Name) -> bool:
        """This script made the table: all rows in it are the script's own."""
        return self._new.get(table.key, False)

    def is_left_empty(self, table: Name) -> bool:
        """This script made the table, and puts nothing into it anywhere."""
        return self.is_new(table) and table.key in self._made_empty

    def is_new_column(self, table: Name, column: str) -> bool:
        """This script added the column."""
        return (table.key, column) in self._columns

    def is_never_null(self, table: Name, column: str) -> bool:
        """This script has made the column NOT NULL, or has added and checked a CHECK that proves it."""
        return (table.key, column) in self._never_null

    def never_null(self, table: Name) -> tuple[str, ...]:
        """All such columns of a table."""
        return tuple(sorted(column for key, column in self._never_null if key == table.key))

    def is_made_later(self, table: Name, statement: Statement) -> bool:
        """A later statement creates a table of this name."""
        return self._last_made.get(table.key, -1) > statement.index

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

    def is_ended(self, statement: Statement) -> bool:
        """Whether a later statement ends the transaction that this one is in."""
        following = self._together(statement, range(statement.index + 1, len(self.script.statements)))
        return any(later.facts.control in ("commit", "rollback") for later in following)

    def _together(self, statement: Statement, indexes: Iterable[int]) -> Iterator[Statement]:
        number = self.transaction(statement)
        same = takewhile(lambda index: number is not None and self._transactions[index] == number, indexes)
        return (self.script.statements[index] for index in same)

    def left_empty(self, table: Name) -> Iterator[str]:
        """The columns that the script adds to a table, before or after this statement, and does not fill."""
        for column in self._added.get(table.key, ()):
            if not column.generated and (table.key, column.name) not in self._filled:
                yield column.name

    def tables_left_empty(self) -> Iterator[Name]:
        """The tables that the script makes under a new name, anywhere in it, and puts nothing into."""
        return (table for key, table in self._made_empty.items() if key not in self._dropped)

    def tables_dropped(self) -> Iterable[Name]:
        """The tables that the script drops, anywhere in it, whoever made them."""
        return self._dropped.values()

    def take_in(self, statement: Statement) -> None:
        """The statement is behind us now."""
        for action in statement.actions:
            self._take_in_table(action)
            self._take_in_column(action)
        self.things.take_in(statement)
        self._turn_to(statement.index + 1)

    def _turn_to(self, index: int) -> None:
        made = [x for statement in self.script.statements[index : index + 1] for x in statement.actions]
        several = len(made) > 1
        self._new_here = {x.table.key for x in made if several and isinstance(x, a.CreateTable)}

    def _look_ahead(self, index: int, action: Action) -> None:
        match action:
            case a.CreateTable(table=table, filled=filled, temporary=temporary, partition_of=parent):
                self._last_made[table.key] = index
                if not (filled or temporary or parent):
                    self._made_empty[table.key] = table
            case a.Insert(table=table) | a.Copy(table=Name() as table, into=True):
                self._made_empty.pop(table.key, None)
            case a.Drop(kind="table", name=table):
                self._dropped[table.key] = table
            case a.AddColumn(table=table, column=column):
                self._added.setdefault(table.key, []).append(column)
            case a.Update(table=table, columns=columns):
                self._filled |= {(table.key, column) for column in columns}

    def _take_in_table(self, action: Action) -> None:
        match action:
            case a.CreateTable(table=table, if_not_exists=maybe):
                self._new[table.key] = not maybe
            case a.Drop(kind="table" | "materialized view", name=name):
                self._new.pop(name.key, None)
            case a.Create(kind="materialized view", name=name):
                self._new[name.key] = True
            case a.Rename(kind="table", table=table, new=new):
                self._move(table, Name(table.schema, new))
            case a.MoveToSchema(kind="table", name=name, schema=schema):
                self._move(name, Name(schema, name.name))

    def _move(self, old: Name, new: Name) -> None:
        certain = self._new.pop(old.key, None)
        if certain is not None:
            self._new[new.key] = certain

    def _take_in_column(self, action: Action) -> None:
        match action:
            case a.AddColumn(table=table, column=column, if_not_exists=False):
                self._columns.add((table.key, column.name))
            case a.DropColumn(table=table, column=name):
                self._columns.discard((table.key, name))
            case a.AddConstraint(table=table, constraint=constraint) if constraint.proves_not_null:
                if not constraint.not_valid:
                    self._never_null |= {(table.key, column) for column in constraint.proves_not_null}
                elif constraint.name:
                    self._not_null_checks[table.key, constraint.name] = constraint.proves_not_null
            case a.SetNotNull(table=table, column=name):
                self._never_null.add((table.key, name))
            case a.DropNotNull(table=table, column=name):
                self._never_null.discard((table.key, name))
            case a.ValidateConstraint(table=table, constraint=name):
                proven = self._not_null_checks.get((table.key, name), ())
                self._never_null |= {(table.key, column) for column in proven}
