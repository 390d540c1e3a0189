"""ADD COLUMN NOT NULL without a default: it fails as soon as there is one row."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import ABOUT_ITS_CONSTRAINTS, is_numbered
from migrations.rules.situation import Situation
from migrations.rules.steps import Step, written
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.definitions import definition_of
from migrations.sql.names import quoted, shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Unless the column fills itself, or the script made the table, where it has no rows but the script's own."""
    bare = [action for action in statement.actions if isinstance(action, a.AddColumn) and _is_bare(action.column)]
    for table in dict.fromkeys(action.table for action in bare if not seen.is_new(action.table)):
        of_it = [action for action in bare if action.table == table]
        names = [action.column.name for action in of_it]
        yield Found(
            f"fails if there is a row in {table}: {', '.join(map(shown, names))} may not be null, and "
            f"{'have' if len(names) > 1 else 'has'} no default",
            (table,),
            subject=f"{table}.{','.join(names)}",
            instead="Give it a DEFAULT. Or add it without NOT NULL, fill it in every row, in batches, and forbid null "
            "in a migration after that.",
            safer_sql=_nullable(statement, of_it),
        )


def _is_bare(column: a.Column) -> bool:
    return column.not_null and column.default is None and column.generated is None and not is_numbered(column)


def _nullable(statement: Statement, actions: list[a.AddColumn]) -> str:
    parts = []
    for action in actions:
        type = definition_of(statement, action).type
        if not type:
            return ""
        maybe = "IF NOT EXISTS " * action.if_not_exists
        parts.append(f"ADD COLUMN {maybe}{quoted(action.column.name)} {type}")
    return written([Step((f"ALTER TABLE {actions[0].table.sql} {', '.join(parts)}",))])


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
    about=(a.AddColumn,),
    check=check,
)
