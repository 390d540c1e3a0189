"""ALTER COLUMN TYPE: the table may be written anew while everybody waits."""

import re
from collections.abc import Iterator, Sequence

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import column_replaced
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.definitions import definition_of
from migrations.sql.names import shown

_SIZED = re.compile(r"(varchar|numeric)\((\d+)(?:,(\d+))?\)")
_UNLESS = {
    "text": "unless that makes a varchar longer, or text of it, ",
    "varchar": "unless that makes a varchar longer, or frees it of its length, ",
    "numeric": "unless it was numeric with the same scale, and the precision grows, ",
    "citext": "unless it was text or varchar, without an index, ",
    "varbit": "unless that makes a varbit longer, or frees it of its length, ",
    "timestamptz": "unless it was timestamp, as precise, and the session's time zone is UTC, ",
    "timestamp": "unless it was timestamptz, as precise, and the session's time zone is UTC, or grows more precise, ",
}

_UTC = " Or, if it is a timestamp that holds UTC: SET LOCAL timezone = 'UTC' before this, and nothing is rewritten."


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a table that was there before. What type it was, only a script that has given it to the column says."""
    changes = [
        (action, old)
        for action in statement.actions
        if isinstance(action, a.AlterType) and not seen.is_new(action.table)
        if not _keeps_values(old := seen.thing(action.table).types.get(action.column), action.type)
    ]
    for table in dict.fromkeys(action.table for action, _ in changes):
        of_it = [action for action, _ in changes if action.table == table]
        what = " and ".join(f"{shown(action.column)} to {action.type}" for action in of_it)
        steps = [column_replaced(action, definition_of(statement, action)) for action in of_it]
        yield Found(
            f"changes {what}: {_unless(changes)}nobody can read or write {table} until all of it, and its indexes, "
            "are written anew",
            (table,),
            subject=f"{table}.{','.join(action.column for action in of_it)}",
            instead="Add a column of the new type, fill it in batches, let the app use it, drop the old one."
            + _UTC * any(action.type.startswith("timestamptz") and not action.using for action in of_it),
            safer_sql="\n".join(steps) if all(steps) else "",
        )


def _unless(changes: Sequence[tuple[a.AlterType, str | None]]) -> str:
    """When it is no rewrite after all; empty if it certainly is one."""
    words = {"" if old else _UNLESS.get(action.type.split("(")[0], "") for action, old in changes}
    if "" in words:
        return ""
    return words.pop() if len(words) == 1 else "unless each of these keeps the values as they are, "


def _keeps_values(old: str | None, new: str) -> bool:
    """Whether every value of the one type is one of the other, stored alike."""
    if old is None:
        return False
    if old == new or (new in ("text", "varchar") and re.fullmatch(r"text|varchar(\(\d+\))?", old)):
        return True
    was, becomes = _SIZED.fullmatch(old), _SIZED.fullmatch(new)
    if was is None:
        return False
    if becomes is None:
        return new == "numeric" == was[1]
    return was[1] == becomes[1] and (was[3] or "0") == (becomes[3] or "0") and int(was[2]) <= int(becomes[2])


RULE = Rule(
    code="column-type-change",
    title="Changes the type of a column",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE t ALTER COLUMN c TYPE bigint",
    safer="ALTER TABLE t ADD COLUMN c_new bigint",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AlterType,),
    check=check,
)
