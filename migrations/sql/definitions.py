"""The parts of an ALTER TABLE as SQL, for whoever writes a better one."""

from dataclasses import dataclass

from migrations.sql.actions import Action
from migrations.sql.script import Statement


@dataclass(frozen=True, slots=True)
class ConstraintSql:
    """`text`: as a constraint of the table, without its name. `index`: what stands behind the table in the
    CREATE UNIQUE INDEX that serves it; empty if none does. `timing`: DEFERRABLE and INITIALLY DEFERRED. `names`: the
    columns after which the server names it, if the script does not."""

    text: str
    index: str = ""
    timing: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """One part. `type`: of the column, with its collation. `expression`: its default, or what a USING computes.

    `identity`: ALWAYS or BY DEFAULT, of a column that numbers its rows.
    """

    type: str = ""
    expression: str = ""
    identity: str = ""
    constraints: tuple[ConstraintSql, ...] = ()


def definition_of(statement: Statement, action: Action) -> Definition:
    """What the statement says of one of its actions. Empty where that is not known."""
    try:
        from migrations.sql.render import definitions  # the grammar is not to be had on every machine
    except (ImportError, OSError):
        return Definition()
    found = definitions(statement.text)
    of_it = (one for one, other in zip(found, statement.actions, strict=False) if other is action)
    return next(of_it, Definition()) if len(found) == len(statement.actions) else Definition()
