"""A foreign key without an index on its columns: each DELETE of the referenced rows reads the whole table."""

from collections.abc import Iterator
from dataclasses import replace

from migrations.impact.foreseen import Foreseen
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import made_name
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.facts import constraints_of
from migrations.sql.names import quoted, shown

LARGE = 100 * 1000**2
"""Bytes from which on reading a table is felt."""


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Where the script makes no index that starts with them; of one that is there already, it does not tell."""
    for action, table, key in _bare(statement, seen):
        fresh = isinstance(action, a.CreateTable) or seen.is_new(table)
        yield _found(table, key, "" if fresh else ", unless an index on it is there already", fresh=fresh)


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """In a large table that has none: then it is more than a matter of taste."""
    for _, table, key in _bare(statement, seen):
        relation = foreseen.relation(table)
        if relation and (relation.heap or 0) >= LARGE and not foreseen.is_indexed(table, key.columns):
            yield replace(_found(table, key, ", and no index begins with it", fresh=False), severity="warn")


def _bare(statement: Statement, seen: Situation) -> Iterator[tuple[a.Action, Name, a.Constraint]]:
    for action in statement.actions:
        for table, key in constraints_of(action):
            if key.kind == "foreign key" and key.columns and not seen.ahead.of(table).is_indexed(key.columns):
                yield action, table, key


def _found(table: Name, key: a.Constraint, unless: str, *, fresh: bool) -> Found:
    columns = ", ".join(shown(column) for column in key.columns)
    return Found(
        f"a DELETE in {key.references}, or an UPDATE of its key, reads all of {table} to find {columns}{unless}",
        (table,),
        subject=f"{table}.{','.join(key.columns)}",
        instead="Make an index that starts with the columns of the foreign key.",
        safer_sql=_index(table, key.columns, concurrently=not fresh),
    )


def _index(table: Name, columns: tuple[str, ...], *, concurrently: bool) -> str:
    name = quoted(made_name(table.name, *columns, ending="idx"))
    wanted = ", ".join(quoted(column) for column in columns)
    return f"CREATE INDEX {'CONCURRENTLY ' * concurrently}{name} ON {table.sql} ({wanted});"


RULE = Rule(
    code="foreign-key-without-index",
    title="A foreign key without an index on its columns",
    severity="note",
    taste=True,
    setup="CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o (id) NOT VALID",
    safer="CREATE INDEX i ON t (c); ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES o (id) NOT VALID",
    source="https://www.postgresql.org/docs/current/ddl-constraints.html",
    check=check,
    look=look,
)
