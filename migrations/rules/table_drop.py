"""DROP TABLE: the rows are gone."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import in_one, made_name
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every dropped table that is not the script's own."""
    for action in statement.actions:
        match action:
            case a.Drop(kind="table", name=table, cascade=cascade, if_exists=maybe):
                if seen.is_new(table):
                    continue
                away = made_name(table.name, ending="unused")
                yield Found(
                    f"drops table {table} and all its rows" + ", and what depends on it" * cascade,
                    (table,),
                    subject=str(table),
                    instead="Rename it away, which can be undone; drop it one release after the last version that "
                    "reads it, with a dump of it kept.",
                    safer_sql=in_one(f"ALTER TABLE {'IF EXISTS ' * maybe}{table.sql} RENAME TO {quoted(away)}"),
                )


RULE = Rule(
    code="table-drop",
    title="Drops a table",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int)",
    risky="DROP TABLE t",
    safer="ALTER TABLE t RENAME TO t_unused",
    source="https://www.postgresql.org/docs/current/sql-droptable.html",
    about=(a.Drop,),
    check=check,
)
