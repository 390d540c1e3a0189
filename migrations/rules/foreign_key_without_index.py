"""A foreign key without an index on its columns: each DELETE of the referenced rows reads the whole table."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.steps import made_name
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.made import constraints_of
from migrations.sql.names import quoted, shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Where the script makes no index that starts with them; of one that is there already, it does not tell."""
    for action in statement.actions:
        for table, key in constraints_of(action):
            if key.kind == "foreign key" and key.columns and not seen.made.has_index_on(table, key.columns):
                fresh = isinstance(action, a.CreateTable) or seen.is_new(table)
                columns = ", ".join(shown(column) for column in key.columns)
                unless = "" if fresh else ", unless an index on it is there already"
                yield Found(
                    f"a DELETE in {key.references}, or an UPDATE of its key, reads all of {table} to find {columns}"
                    f"{unless}",
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
)
