"""DROP of a foreign key: the table that it references is locked as well, against reads too."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.sql import Name, Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """A constraint is known for a foreign key by what the script says of it, or by how such are named.

    A table that the script drops says more of itself.
    """
    for action in statement.actions:
        match action:
            case a.DropConstraint(table=table, constraint=name):
                known = seen.made.constraint(table, name)
                if seen.is_new(table) or seen.made.drops_table(table) or not _is_foreign_key(name, known):
                    continue
                other = known.references if known else None
                yield Found(
                    f"nobody can read or write {table}, nor {other or 'the table that it references'}, while this "
                    f"waits for whoever reads one of them, to drop {shown(name)}",
                    (table, *_others(table, other)),
                    subject=f"{table}.{name}",
                    instead="Let it run when no long transaction uses either table.",
                )


def _is_foreign_key(name: str, known: a.Constraint | None) -> bool:
    return known.kind == "foreign key" if known else name.endswith("_fkey")


def _others(table: Name, other: Name | None) -> tuple[Name, ...]:
    return (other,) if other and other.key != table.key else ()


RULE = Rule(
    code="drop-foreign-key",
    title="Drops a foreign key, and locks both tables",
    severity="note",
    lock=Lock.ACCESS_EXCLUSIVE,
    blocks="reads and writes",
    setup="CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE o (c int CONSTRAINT o_c_fkey REFERENCES t (id))",
    risky="ALTER TABLE o DROP CONSTRAINT o_c_fkey",
    safer="ALTER TABLE o ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/sql-altertable.html",
    check=check,
)
