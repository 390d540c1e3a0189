"""ADD COLUMN, and another type for a column, in steps that keep nobody waiting for long."""

import re
from collections.abc import Iterator

from migrations.rules.steps import (
    Step,
    checked_later,
    filled,
    made_name,
    set_not_null,
    with_index,
    written,
)
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.definitions import Definition, definition_of
from migrations.sql.names import quoted
from migrations.sql.volatility import unknown, volatile

ABOUT_ITS_CONSTRAINTS = ("constraint-without-index", "add-check-without-not-valid", "add-column-references")
"""Rules about a constraint of a new column; they give way to one by which the whole column is taken in steps."""

BOTH = "Once all running versions write both columns, again and again until it changes no row"

_SERIAL = {
    **dict.fromkeys(("serial", "serial4"), "integer"),
    **dict.fromkeys(("bigserial", "serial8"), "bigint"),
    **dict.fromkeys(("smallserial", "serial2"), "smallint"),
}


def is_numbered(column: a.Column) -> bool:
    """It is serial, or an identity: each row gets a number."""
    return column.generated == "identity" or column.type in _SERIAL


def constraint_added(statement: Statement, action: a.AddColumn | a.AddConstraint, *, replaces: bool = False) -> str:
    """ADD CONSTRAINT, or ADD COLUMN with one, in steps. `replaces`: one of its name goes at the same time."""
    definition = definition_of(statement, action)
    if isinstance(action, a.AddColumn):
        return column_added(action, definition)
    table, constraint = action.table, action.constraint
    if not definition.constraints:
        return ""
    (sql,) = definition.constraints
    if constraint.kind in ("check", "foreign key"):
        return written(checked_later(table, constraint, sql))
    return written(with_index(table, constraint, sql, replaces=replaces))


def column_added(action: a.AddColumn, definition: Definition) -> str:
    """ADD COLUMN without a rewrite, a scan, or the building of an index under its lock."""
    in_a_literal = (action.table.schema, action.table.name, action.column.name) if is_numbered(action.column) else ()
    if not definition.type or not all((name or "").isprintable() for name in in_a_literal):
        return ""  # a literal has no escapes for the name of a sequence
    return written(_column_steps(action, definition))


def column_replaced(action: a.AlterType, definition: Definition) -> str:
    """A column of another type beside the one that is there, with its values."""
    if not definition.type:
        return ""
    new = made_name(action.column, ending="new")
    value = f"({definition.expression})" if definition.expression else quoted(action.column)
    return written(
        (
            Step((f"ALTER TABLE {action.table.sql} ADD COLUMN {quoted(new)} {definition.type}",)),
            filled(action.table, new, value, also=f"{value} IS NOT NULL", when=BOTH),
        )
    )


def _column_steps(action: a.AddColumn, definition: Definition) -> Iterator[Step]:
    table, column = action.table, action.column
    name, type = quoted(column.name), _SERIAL.get(column.type, definition.type)
    add = f"ALTER TABLE {table.sql} ADD COLUMN {'IF NOT EXISTS ' * action.if_not_exists}{name} {type}"
    default = definition.expression
    sequence: tuple[str, ...] = ()
    if is_numbered(column):
        sequence = (f"CREATE SEQUENCE {_sequence(action).sql} AS {type}{_owner(action)}",)
        default = f"nextval({_literal(_sequence(action).sql)})"
    if is_numbered(column) or volatile(column.default or ()) or unknown(column.default or ()):
        yield Step((add, *sequence, f"ALTER TABLE {table.sql} ALTER COLUMN {name} SET DEFAULT {default}"))
        yield filled(table, column.name)
        if (column.not_null or is_numbered(column)) and not any(c.kind == "primary key" for c in column.constraints):
            yield from set_not_null(table, column.name)
    else:
        yield Step((add + default_words(default) + " NOT NULL" * bool(column.not_null and default),))
    yield from _constraint_steps(action, definition)
    if column.generated == "identity":
        yield Step(tuple(_taken_over(action, definition.identity)))


def _constraint_steps(action: a.AddColumn, definition: Definition) -> Iterator[Step]:
    table, column = action.table, action.column
    for constraint, sql in zip(column.constraints, definition.constraints, strict=False):
        if constraint.kind in ("check", "foreign key"):
            yield from checked_later(table, constraint, sql)
        elif constraint.kind in ("unique", "primary key"):
            yield from with_index(table, constraint, sql)


def default_words(expression: str) -> str:
    """The DEFAULT of a column, in brackets where its grammar wants them."""
    simple = re.fullmatch(r"'(?:[^']|'')*'|\S+", expression)
    return f" DEFAULT {expression}" if simple else f" DEFAULT ({expression})" * bool(expression)


def _sequence(action: a.AddColumn) -> Name:
    """What numbers the rows of a serial column, or fills an identity one."""
    ending = "fill" if action.column.generated == "identity" else "seq"
    return Name(action.table.schema, made_name(action.table.name, action.column.name, ending=ending))


def _owner(action: a.AddColumn) -> str:
    owned = action.column.generated != "identity"
    return f" OWNED BY {action.table.sql}.{quoted(action.column.name)}" * owned


def _taken_over(action: a.AddColumn, kind: str) -> Iterator[str]:
    """The identity's own sequence goes on where the one that filled it stands."""
    table, column, sequence = action.table.sql, action.column.name, _sequence(action).sql
    yield f"ALTER TABLE {table} ALTER COLUMN {quoted(column)} DROP DEFAULT"
    yield f"ALTER TABLE {table} ALTER COLUMN {quoted(column)} ADD GENERATED {kind} AS IDENTITY"
    yield f"SELECT setval(pg_get_serial_sequence({_literal(table)}, {_literal(column)}), nextval({_literal(sequence)}))"
    yield f"DROP SEQUENCE {sequence}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
