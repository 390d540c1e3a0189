"""What the rest of gonogo needs to know of a statement, made from its actions."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from migrations.sql import actions as a
from migrations.sql.names import Name

Control = Literal["begin", "commit", "rollback", "set_transaction", "prepare"]

_CONTROL: dict[a.TransactionKind, Control | None] = {
    "begin": "begin",
    "commit": "commit",
    "rollback": "rollback",
    "prepare": "prepare",
    "set": "set_transaction",
    "savepoint": None,
    "release": None,
    "rollback to": None,
}

_MAY_END_TRANSACTION = re.compile("commit|rollback|call|execute", re.IGNORECASE)
_ENDS_TRANSACTION = re.compile(r"\b(?:commit|rollback)\s*(?:;|and\b)", re.IGNORECASE)
_NOT_CODE = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Facts:
    """Names are as the script writes them.

    `alone`: it cannot be in a transaction. `control`: it begins or ends one (`prepare`: in two phases), or sets how
    it behaves. `chain`: its COMMIT or ROLLBACK begins the next one. `sets`: session settings that it may change, `*`
    if that is not known. `may_commit`: run outside a transaction, it may commit in its middle.
    """

    touches: tuple[Name, ...] = ()
    concurrently: bool = False
    alone: bool = False
    control: Control | None = None
    chain: bool = False
    sets: tuple[str, ...] = ()
    may_commit: bool = False
    adds_enum_value: str | None = None


def facts_of(actions: Iterable[a.Action]) -> Facts:
    """The facts of one statement."""
    actions = tuple(actions)
    return Facts(
        touches=tuple(dict.fromkeys(table for x in actions if (table := table_of(x)))),
        concurrently=any(getattr(x, "concurrently", False) for x in actions),
        alone=any(_alone(x) for x in actions),
        control=next((_CONTROL[x.kind] for x in actions if isinstance(x, a.Transaction)), None),
        chain=any(x.chain for x in actions if isinstance(x, a.Transaction)),
        sets=tuple(dict.fromkeys(setting for x in actions if (setting := _setting(x)))),
        may_commit=any(_may_commit(x) for x in actions),
        adds_enum_value=next((x.value for x in actions if isinstance(x, a.AddEnumValue)), None),
    )


def table_of(action: a.Action) -> Name | None:
    """The table that an action is about, if it is about one."""
    if isinstance(action, a.Drop):
        return action.name if action.kind == "table" else None
    table: Name | None = getattr(action, "table", None)
    return table


def constraints_of(action: a.Action) -> Iterator[tuple[Name, a.Constraint]]:
    """The constraints that an action makes, each with its table."""
    match action:
        case a.CreateTable(table=table, columns=columns, constraints=constraints):
            yield from ((table, constraint) for constraint in constraints)
            yield from ((table, constraint) for column in columns for constraint in column.constraints)
        case a.AddColumn(table=table, column=column):
            yield from ((table, constraint) for constraint in column.constraints)
        case a.AddConstraint(table=table, constraint=constraint):
            yield table, constraint


def _alone(action: a.Action) -> bool:
    match action:
        case a.CreateIndex(concurrently=True) | a.DetachPartition(concurrently=True):
            return True
        case a.Reindex(kind=kind, concurrently=concurrently):
            return concurrently or kind in ("schema", "system", "database")
        case a.RunCode(body=body):
            return _ENDS_TRANSACTION.search(_NOT_CODE.sub(" ", body)) is not None
        case _:
            return bool(getattr(action, "alone", False))


def _setting(action: a.Action) -> str | None:
    match action:
        case a.Set(setting=setting):
            return setting
        case a.RunCode() | a.Call():
            return "*"
        case _:
            return "*" if getattr(action, "calls", ()) else None


def _may_commit(action: a.Action) -> bool:
    """PL/pgSQL ends a transaction only by saying so, or through what it calls; of other languages nothing is known."""
    match action:
        case a.Call():
            return True
        case a.RunCode(language=language, body=body):
            return language.lower() != "plpgsql" or _MAY_END_TRANSACTION.search(body) is not None
        case _:
            return False
