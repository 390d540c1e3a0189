"""How a script can be run: in which transactions, or not at all, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from migrations.sql import actions as a
from migrations.sql.script import Script, Statement

ModelKind = Literal["transaction", "own", "bare", "pieces", "empty", "refused"]

Pieces = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Model:
    """`words` say why. `pieces` are indexes of statements that go together, each in one transaction.

    A piece of a single statement whose facts say `alone` goes without one. With `own`, a piece is what the file's
    own BEGIN and COMMIT hold together, these included; any other statement of it goes by itself. Refused: no pieces.
    """

    kind: ModelKind
    words: str
    pieces: Pieces = ()


def execution_model(script: Script) -> Model:
    """How gonogo runs this script by itself."""
    statements = script.statements
    if reason := _refused(script):
        return Model("refused", reason)
    if not statements:
        return Model("empty", "there is no statement in it; it only counts as applied")
    if any(s.facts.control in ("begin", "commit", "rollback") for s in statements):
        return _own(statements)
    if len(statements) == 1 and statements[0].facts.may_commit:
        return Model("bare", "it is one call of code that may commit in its middle", ((0,),))
    pieces = _pieces(statements)
    whole = (tuple(range(len(statements))),)
    if pieces == whole and not statements[0].facts.alone:
        return Model("transaction", "all of it is in one transaction, together with the ledger", whole)
    return Model("pieces", _why_pieces(statements, pieces), pieces)


def _refused(script: Script) -> str:
    if script.error:
        return f"it cannot be read: {script.error.message} (line {script.error.line})"
    for statement in script.statements:
        if any(isinstance(action, a.Copy) and action.from_client for action in statement.actions):
            return f"line {statement.line}: COPY to or from a client needs one such as psql"
        if statement.facts.control == "prepare":
            return f"line {statement.line}: a transaction that is committed in two phases outlives this script"
    return ""


def _own(statements: Sequence[Statement]) -> Model:
    """The file's own transactions; refused where they would lose work or end one that is not theirs."""
    pieces: list[tuple[int, ...]] = []
    began: Statement | None = None
    group: list[int] = []
    for statement in statements:
        control = statement.facts.control
        group.append(statement.index)
        if control == "begin":
            began = began or statement
        elif control in ("commit", "rollback"):
            if began is None:
                word = control.upper()
                return Model(
                    "refused", f"line {statement.line}: {word} ends a transaction that this script did not begin"
                )
            began = statement if statement.facts.chain else None
        elif began and statement.facts.alone:
            return Model(
                "refused",
                f"line {statement.line}: this cannot be in a transaction, and line {began.line} began one",
            )
        if began is None:
            pieces.append(tuple(group))
            group = []
    if began:
        return Model(
            "refused", f"line {began.line}: the transaction begun here is never committed: all of it would be lost"
        )
    return Model("own", "it has a BEGIN and COMMIT of its own", tuple(pieces))


def _pieces(statements: Sequence[Statement]) -> Pieces:
    """Transactions as large as can be: cut around what cannot be in one, and before a new enum value is used."""
    pieces: list[tuple[int, ...]] = []
    group: list[int] = []
    fresh: set[str] = set()
    new_types: set[tuple[str, str]] = set()
    for statement in statements:
        if group and (statement.facts.alone or _uses(statement, fresh)):
            pieces.append(tuple(group))
            group, fresh = [], set()
        if statement.facts.alone:
            pieces.append((statement.index,))
            new_types.clear()
            continue
        group.append(statement.index)
        new_types |= {x.name.key for x in statement.actions if isinstance(x, a.Create) and x.kind == "type"}
        fresh |= {x.value for x in statement.actions if isinstance(x, a.AddEnumValue) and x.type.key not in new_types}
    return (*pieces, tuple(group)) if group else tuple(pieces)


def _uses(statement: Statement, fresh: set[str]) -> bool:
    """Whether one of these enum values may be used: its literal is there, and not to add another value beside it."""
    if not fresh or statement.facts.adds_enum_value is not None:
        return False
    return any("'" + value.replace("'", "''") + "'" in statement.text for value in fresh)


def _why_pieces(statements: Sequence[Statement], pieces: Pieces) -> str:
    alone = [statement.line for statement in statements if statement.facts.alone]
    reasons = []
    if alone:
        where = ", ".join(f"line {line}" for line in alone)
        reasons.append(f"what stands at {where} cannot be in a transaction")
    if any(not statements[piece[0]].facts.alone for piece in pieces[1:]) and _splits_for_enum(statements, pieces):
        reasons.append("a new enum value must be committed before it is used")
    words = " and ".join(reasons)
    return f"{words}: {len(pieces)} pieces, each committed before the next" if len(pieces) > 1 else words


def _splits_for_enum(statements: Sequence[Statement], pieces: Pieces) -> bool:
    return any(
        not statements[before[-1]].facts.alone and not statements[after[0]].facts.alone
        for before, after in pairwise(pieces)
    )
