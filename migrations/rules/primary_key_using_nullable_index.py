"""ADD PRIMARY KEY USING INDEX: where a column of the index may be null, the whole table is searched for nulls."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import is_proof, key_of_index
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Unless the script proves that its columns are never null, or ends a proof of that."""
    for action in statement.actions:
        match action:
            case a.AddConstraint(table=table, constraint=key) if key.kind == "primary key" and key.using_index:
                index = key.using_index
                columns = seen.thing(table._replace(name=index)).index_columns
                if seen.is_new(table) or _is_proven(table, columns, seen):
                    continue
                names = " or ".join(shown(column) for column in columns) or f"a column of {shown(index)}"
                yield Found(
                    f"where {names} may be null, nobody can read or write {table} until all of it is searched for "
                    "nulls; one makes it fail",
                    (table,),
                    subject=f"{table}.{key.name or index}",
                    instead="Prove first, by a CHECK that is added NOT VALID and validated, that there are no nulls.",
                    safer_sql=key_of_index(table, key, index, columns),
                )


def _is_proven(table: Name, columns: tuple[str, ...], seen: Situation) -> bool:
    if any(is_proof(name) for name in seen.ahead.of(table).constraints_dropped):
        return True
    proven = seen.thing(table).never_null
    return set(columns) <= set(proven) if columns else bool(proven)


RULE = Rule(
    code="primary-key-using-nullable-index",
    title="Makes a primary key of an index whose columns may be null",
    severity="note",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (c int); CREATE UNIQUE INDEX i ON t (c)",
    risky="ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX i",
    safer="ALTER TABLE t ADD CONSTRAINT present CHECK (c IS NOT NULL) NOT VALID; "
    "ALTER TABLE t VALIDATE CONSTRAINT present; "
    "CREATE UNIQUE INDEX CONCURRENTLY j ON t (c); "
    "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY USING INDEX j",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    about=(a.AddConstraint,),
    check=check,
)
