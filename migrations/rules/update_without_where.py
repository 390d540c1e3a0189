"""UPDATE without WHERE: the old values are gone, and every row is written anew."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import BATCH
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Where the script itself added all the columns, or only nulls go, no value is lost."""
    for action in statement.actions:
        match action:
            case a.Update(table=table, columns=columns, everything=True) if not seen.is_new(table):
                spared = all(column in action.kept or seen.is_new_column(table, column) for column in columns)
                names = ", ".join(shown(column) for column in columns)
                yield Found(
                    f"{_what(action, spared=spared)} {names} in every row of {table}, in one long transaction",
                    (table,),
                    subject=str(table),
                    instead=f"In batches: UPDATE {table} SET … WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} "
                    f"WHERE … LIMIT {BATCH})), where … leaves out what is done; again and again until it changes no "
                    "row, each time in a transaction of its own.",
                    severity="warn" if spared else None,
                    loses_data=not spared,
                )


def _what(action: a.Update, *, spared: bool) -> str:
    if not spared:
        return "overwrites"
    return "writes anew, though only nulls change," if set(action.columns) <= set(action.kept) else "fills"


RULE = Rule(
    code="update-without-where",
    title="Overwrites every row of a table",
    severity="stop",
    loses_data=True,
    lock=Lock.ROW_EXCLUSIVE,
    blocks="writes of the same rows",
    setup="CREATE TABLE t (c int); INSERT INTO t VALUES (1)",
    risky="UPDATE t SET c = 2",
    safer="UPDATE t SET c = 2 WHERE c = 1",
    source="https://www.postgresql.org/docs/current/sql-update.html",
    about=(a.Update,),
    check=check,
)
