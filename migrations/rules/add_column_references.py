"""ADD COLUMN … REFERENCES: the other table is locked as well, for as long as this one is."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.column_steps import column_added
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.definitions import definition_of


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Without a default all rows are null, and none is looked up: then it is only the lock."""
    for action in statement.actions:
        match action:
            case a.AddColumn(table=table, column=column) if not seen.is_new(table):
                for other in (c.references for c in column.constraints if c.references):
                    if other.key == table.key:
                        continue
                    checked = column.default is not None
                    until = (
                        f"until every row is checked against {other}"
                        if checked
                        else "while this waits for both locks and holds them"
                    )
                    yield Found(
                        f"nobody can read or write {table}, nor write to {other}, {until}",
                        (table, other),
                        subject=f"{table}.{column.name}",
                        instead="Add the column alone; then the foreign key NOT VALID, which keeps readers in; then "
                        "VALIDATE CONSTRAINT in a migration after that.",
                        safer_sql=column_added(action, definition_of(statement, action)),
                        severity=None if checked else "note",
                    )


RULE = Rule(
    code="add-column-references",
    title="Adds a column with a foreign key, and locks both tables",
    severity="warn",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o VALUES (1); CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD COLUMN d int DEFAULT 1 REFERENCES o (id)",
    safer="ALTER TABLE t ADD COLUMN d int DEFAULT 1; "
    "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (d) REFERENCES o (id) NOT VALID; "
    "ALTER TABLE t VALIDATE CONSTRAINT k",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AddColumn,),
    check=check,
)
