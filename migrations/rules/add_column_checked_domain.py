"""ADD COLUMN of a domain that checks its values: the whole table is written anew, even for nulls."""

from collections.abc import Iterator
from typing import TypeGuard

from migrations.impact.foreseen import Foreseen
from migrations.impact.types import type_from
from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import ABOUT_ITS_CONSTRAINTS
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Only of a domain that the script makes: of others, the script does not say what they check."""
    for action in statement.actions:
        if _is_added_to_old(action, seen) and (domain := seen.domain(action.column.type)) and domain.checked:
            yield _found(action)


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """Of a domain that is there."""
    for action in statement.actions:
        if _is_added_to_old(action, seen):
            type = type_from(action.column.type)
            domain = foreseen.type(type.name) if type and not type.array else None
            if domain and domain.kind == "domain" and domain.checked:
                yield _found(action)


def _is_added_to_old(action: a.Action, seen: Situation) -> TypeGuard[a.AddColumn]:
    return isinstance(action, a.AddColumn) and not seen.is_new(action.table)


def _found(action: a.AddColumn) -> Found:
    table, column = action.table, action.column
    return Found(
        f"nobody can read or write {table} until all of it is written anew: {column.type} checks its values, and so "
        f"{shown(column.name)} in every row",
        (table,),
        subject=f"{table}.{column.name}",
        instead=f"Give {shown(column.name)} the type that {column.type} is made of, and {table} a CHECK of its own: "
        "added NOT VALID, validated in a migration after this one.",
    )


RULE = Rule(
    code="add-column-checked-domain",
    title="Adds a column of a domain that checks its values",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    rewrites=True,
    supersedes=ABOUT_ITS_CONSTRAINTS,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="CREATE DOMAIN positive AS int CHECK (VALUE > 0); ALTER TABLE t ADD COLUMN d positive",
    safer="ALTER TABLE t ADD COLUMN d int; ALTER TABLE t ADD CONSTRAINT positive CHECK (d > 0) NOT VALID",
    source="https://www.postgresql.org/docs/current/sql-createdomain.html",
    about=(a.AddColumn,),
    check=check,
    look=look,
)
