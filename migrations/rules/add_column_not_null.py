"""ADD COLUMN NOT NULL without a default: it fails as soon as there is one row."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import ABOUT_ITS_CONSTRAINTS, is_numbered
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.definitions import definition_of
from migrations.sql.names import quoted, shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Unless the column fills itself, or the script made the table, where it has no rows but the script's own."""
    for action in statement.actions:
        match action:
            case a.AddColumn(table=table, column=a.Column(not_null=True, default=None, generated=None) as column):
                if seen.is_new(table) or is_numbered(column):
                    continue
                yield Found(
                    f"fails if there is a row in {table}: {shown(column.name)} may not be null, and has no default",
                    (table,),
                    subject=f"{table}.{column.name}",
                    instead="Give it a DEFAULT. Or add it without NOT NULL, fill it in every row, in batches, and "
                    "forbid null in a migration after that.",
                    safer_sql=_nullable(action, definition_of(statement, action).type),
                )


def _nullable(action: a.AddColumn, type: str) -> str:
    maybe = "IF NOT EXISTS " * action.if_not_exists
    return f"ALTER TABLE {action.table.sql} ADD COLUMN {maybe}{quoted(action.column.name)} {type};" if type else ""


RULE = Rule(
    code="add-column-not-null",
    title="Adds a column that may not be null, without a value for the rows that are there",
    severity="warn",
    breaks=True,
    fails="23502",
    supersedes=ABOUT_ITS_CONSTRAINTS,
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="ALTER TABLE t ADD COLUMN d text NOT NULL",
    safer="ALTER TABLE t ADD COLUMN d text NOT NULL DEFAULT ''",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    check=check,
)
