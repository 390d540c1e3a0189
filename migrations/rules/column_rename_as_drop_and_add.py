"""A column dropped and another one added to the same table: often a rename that a generator did not see."""

from collections.abc import Iterator

from migrations.rules.base import Found, Lock, Rule
from migrations.rules.seen import Seen
from migrations.sql import Action, Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """Every dropped column beside one that is added, unless the script fills the new one itself."""
    for action in statement.actions:
        match action:
            case a.DropColumn(table=table, column=column):
                if seen.is_certainly_new(table) or seen.is_new_column(table, column):
                    continue
                added = _added(seen, table, column)
                if added is not None:
                    yield Found(
                        f"drops column {shown(column)} of {table} with all its values and adds {shown(added)}, empty: "
                        "if that was meant as a rename, the values are lost",
                        (table,),
                        subject=f"{table}.{column}",
                        instead=f"ALTER TABLE {table} RENAME COLUMN {shown(column)} TO {shown(added)}",
                    )


def _added(seen: Seen, table: Name, dropped: str) -> str | None:
    """A column that the script adds to this table and leaves empty."""
    actions: list[Action] = [action for statement in seen.script.statements for action in statement.actions]
    filled = {
        column
        for action in actions
        if isinstance(action, a.Update) and action.table.key == table.key
        for column in action.columns
    }
    for action in actions:
        if isinstance(action, a.AddColumn) and action.table.key == table.key:
            column = action.column
            if column.name not in filled and column.name != dropped and not column.generated:
                return column.name
    return None


RULE = Rule(
    code="column-rename-as-drop-and-add",
    title="Drops a column and adds another one in its place",
    severity="stop",
    loses_data=True,
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    supersedes=("column-drop",),
    setup="CREATE TABLE t (c text); INSERT INTO t VALUES ('kept')",
    risky="ALTER TABLE t DROP COLUMN c, ADD COLUMN d text",
    safer="ALTER TABLE t RENAME COLUMN c TO d",
    source="https://www.prisma.io/docs/orm/prisma-migrate/workflows/customizing-migrations",
    check=check,
)
