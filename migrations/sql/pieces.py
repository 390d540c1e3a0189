"""Which statements of a script share a transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrations.sql import actions as a
from migrations.sql.script import Statement


@dataclass(frozen=True, slots=True)
class Piece:
    """Statements that follow each other, by their indexes, in one transaction; `by_itself`: one, outside of any.

    Where the first is no BEGIN, or the last no COMMIT or ROLLBACK, who runs it puts one there.
    """

    indexes: tuple[int, ...]
    by_itself: bool = False


Pieces = tuple[Piece, ...]


def largest(statements: Sequence[Statement]) -> Pieces:
    """Transactions as large as can be: cut around what cannot be in one, and before a new enum value is used.

    The script's own BEGIN and COMMIT are kept to. What stands before a BEGIN joins its transaction, and what stands
    before a COMMIT without BEGIN ends by it: so it is for PostgreSQL where all of it is one query.
    """
    return tuple(_made(statements, group) for group in _groups(statements))


def each(statements: Sequence[Statement]) -> Pieces:
    """Every statement by itself, but for what the script's own BEGIN and COMMIT hold together."""
    found: list[Piece] = []
    group: list[int] = []
    began = False
    for statement in statements:
        control = statement.facts.control
        group.append(statement.index)
        began = began or control == "begin"
        if control in ("commit", "rollback") or not began:
            found.append(Piece(tuple(group), by_itself=not began))
            group, began = [], statement.facts.chain
    return (*found, Piece(tuple(group))) if group else tuple(found)


def cut_in_doubt(statements: Sequence[Statement], pieces: Pieces) -> bool:
    """Whether a server with `standard_conforming_strings = off` could read other statements than were reviewed.

    It takes a backslash for an escape. What is sent in pieces is not risked even without one.
    """
    return len(pieces) > 1 or any("\\" in statement.text for statement in statements)


def never_ended(statements: Sequence[Statement]) -> Statement | None:
    """What began the transaction in which the script ends, if it ends in one."""
    began: Statement | None = None
    for statement in statements:
        if statement.facts.control == "begin":
            began = began or statement
        elif statement.facts.control in ("commit", "rollback"):
            began = statement if statement.facts.chain else None
    return began


def _made(statements: Sequence[Statement], group: tuple[int, ...]) -> Piece:
    facts = statements[group[0]].facts
    ends = facts.control in ("commit", "rollback")
    return Piece(group, by_itself=len(group) == 1 and (facts.alone or facts.may_commit or ends))


def _groups(statements: Sequence[Statement]) -> Iterator[tuple[int, ...]]:
    group: list[int] = []
    began = False
    enums = NewValues()
    for statement in statements:
        facts = statement.facts
        if not began and group and (facts.alone or enums.used_by(statement)):
            yield tuple(group)
            group = []
            enums.committed()
        if not began and facts.alone:
            yield (statement.index,)
            continue
        group.append(statement.index)
        enums.see(statement)
        began = began or facts.control == "begin"
        if facts.control in ("commit", "rollback"):
            yield tuple(group)
            group, began = [], facts.chain
            enums.committed()
    if group:
        yield tuple(group)


class NewValues:
    """Enum values that an open transaction has added: used in that same transaction, they are an error (55P04)."""

    def __init__(self) -> None:
        self._fresh: set[str] = set()
        self._types: set[tuple[str, str]] = set()

    def see(self, statement: Statement) -> None:
        """Take note of what it adds; a value may be used in the transaction that made its type."""
        actions = statement.actions
        self._types |= {x.name.key for x in actions if isinstance(x, a.Create) and x.kind == "type"}
        self._fresh |= {x.value for x in actions if isinstance(x, a.AddEnumValue) and x.type.key not in self._types}

    def committed(self) -> None:
        """The transaction is over."""
        self._fresh, self._types = set(), set()

    def used_by(self, statement: Statement) -> bool:
        """Whether it may use one: the literal is there, and not to add another value beside it."""
        if not self._fresh or statement.facts.adds_enum_value is not None:
            return False
        return any("'" + value.replace("'", "''") + "'" in statement.text for value in self._fresh)
