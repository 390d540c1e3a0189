"""What a ROLLBACK takes back."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from migrations.sql import actions as a
from migrations.sql.script import Script, Statement

K = TypeVar("K")
V = TypeVar("V")


class Kept(Protocol):
    """Something that can be made again what it was."""

    def memento(self) -> Callable[[], object]:
        """What makes it again what it is now."""


class Undo:
    """How to take back what was followed since the script's own BEGIN, and since each of its savepoints."""

    def __init__(self) -> None:
        self._back: list[Callable[[], object]] = []
        self._marks: list[tuple[str, int]] = []  # the BEGIN, as "", and the savepoints after it
        self._kept: set[Kept] = set()  # since the last of these

    def put(self, into: dict[K, V], key: K, value: V | None) -> None:
        """Give a key its value, or none."""
        if self._marks:
            self._back.append(partial(_set, into, key, into.get(key)))
        _set(into, key, value)

    def keep(self, thing: Kept) -> None:
        """Remember what something is, before it is changed."""
        if self._marks and thing not in self._kept:
            self._kept.add(thing)
            self._back.append(thing.memento())

    def take_in(self, action: a.Transaction) -> None:
        """A transaction begins or ends, or a part of one."""
        match action:
            case a.Transaction(kind="begin"):
                self._marks = self._marks or [("", 0)]
            case a.Transaction(kind="commit" | "rollback" | "prepare" as kind, chain=chain):
                if kind == "rollback":
                    self._to(0)
                self._back, self._marks = [], [("", 0)] if chain else []
            case a.Transaction(kind="savepoint", name=name) if self._marks:
                self._marks.append((name, len(self._back)))
            case a.Transaction(kind="release" | "rollback to" as kind, name=name):
                self._end(name, back=kind == "rollback to")
        self._kept = set()

    def _end(self, savepoint: str, *, back: bool) -> None:
        """Those after it end with it; where it is gone back to, it stays itself."""
        place = next((n for n in range(len(self._marks) - 1, 0, -1) if self._marks[n][0] == savepoint), None)
        if place is not None:
            if back:
                self._to(self._marks[place][1])
            del self._marks[place + back :]

    def _to(self, mark: int) -> None:
        while len(self._back) > mark:
            self._back.pop()()


def lasting(script: Script) -> list[Statement]:
    """The statements of a script that it does not take back itself."""
    undo = Undo()
    left: dict[int, Statement] = {}
    for statement in script.statements:
        undo.put(left, statement.index, statement)
        for action in statement.actions:
            if isinstance(action, a.Transaction):
                undo.take_in(action)
    return list(left.values())


def _set(into: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value
