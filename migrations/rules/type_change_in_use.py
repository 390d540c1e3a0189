"""ALTER COLUMN TYPE of a column that a view, rule, trigger, policy or generated column reads: the server refuses it."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen, Gone
from migrations.impact.known import Dependent
from migrations.rules.base import Found, Rule
from migrations.rules.drop_in_use import listed
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """Even if only a varchar becomes longer. Constraints and defaults are carried along, foreign keys too."""
    gone = Gone()
    gone.take_in(statement.actions, foreseen)
    for action in statement.actions:
        match action:
            case a.AlterType(table=table, column=column) if foreseen.certain and (known := foreseen.relation(table)):
                before = foreseen.column(table, column)
                needed = [
                    d
                    for d in known.dependents
                    if d.column == before and _stands_in_the_way(d, before)
                    and not foreseen.gone.holds(d) and not gone.holds(d)
                ]  # fmt: skip
                if needed:
                    yield Found(
                        f"fails on this target: {listed(needed)} read{'s' * (len(needed) == 1)} column {shown(column)} "
                        f"of {table}",
                        (table,),
                        subject=f"{table}.{column}",
                        instead="Drop what reads it before this, and create it again after it, in the same script.",
                    )


def _stands_in_the_way(dependent: Dependent, column: str | None) -> bool:
    """Not a constraint, nor the column's own default."""
    return not dependent.words.startswith("constraint ") and dependent.part != column


RULE = Rule(
    code="type-change-in-use",
    title="Changes the type of a column that a view or trigger reads",
    severity="stop",
    fails="0A000",
    setup="CREATE TABLE t (c int); CREATE VIEW v AS SELECT c FROM t",
    risky="ALTER TABLE t ALTER COLUMN c TYPE bigint",
    safer="DROP VIEW v; ALTER TABLE t ALTER COLUMN c TYPE bigint; CREATE VIEW v AS SELECT c FROM t",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    look=look,
)
