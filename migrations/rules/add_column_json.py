"""ADD COLUMN json: rows of the table can no longer be compared, so that DISTINCT, GROUP BY and UNION of them fail."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import default_words
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.definitions import definition_of
from migrations.sql.names import quoted, shown

_BINARY = {"json": "jsonb", '"json"': "jsonb", "json[]": "jsonb[]", '"json"[]': "jsonb[]"}


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """In a table that was there before: queries of a new one are written with it in mind."""
    for action in statement.actions:
        match action:
            case a.AddColumn(table=table, column=column) if column.type in _BINARY and not seen.is_new(table):
                yield Found(
                    f"json has no equality: SELECT DISTINCT, GROUP BY and UNION fail where they take in "
                    f"{shown(column.name)}, as a query of all columns of {table} does",
                    (table,),
                    subject=f"{table}.{column.name}",
                    instead="Make it jsonb, unless spaces and the order of keys must stay as they are written.",
                    safer_sql=_as_jsonb(action, definition_of(statement, action).expression),
                )


def _as_jsonb(action: a.AddColumn, default: str) -> str:
    column = action.column
    if column.constraints and any(constraint.kind != "not null" for constraint in column.constraints):
        return ""
    more = default_words(default) + " NOT NULL" * column.not_null
    maybe = "IF NOT EXISTS " * action.if_not_exists
    return f"ALTER TABLE {action.table.sql} ADD COLUMN {maybe}{quoted(column.name)} {_BINARY[column.type]}{more};"


RULE = Rule(
    code="add-column-json",
    title="Adds a column of the type json, which knows no equality",
    severity="note",
    breaks=True,
    fails="42883",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD COLUMN d json; SELECT DISTINCT * FROM t",
    safer="ALTER TABLE t ADD COLUMN d jsonb; SELECT DISTINCT * FROM t",
    source="https://www.postgresql.org/docs/current/datatype-json.html",
    about=(a.AddColumn,),
    check=check,
)
