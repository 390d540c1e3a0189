"""DROP of a foreign key: the table that it references is locked as well, against reads too."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown
from migrations.sql.seen import Seen


def check(statement: Statement, seen: Seen) -> Iterator[Found]:
    """By its name, as such are named, for the script does not say what it was.

    Where the script drops the table, or adds the key anew, another rule says more.
    """
    for action in statement.actions:
        match action:
            case a.DropConstraint(table=table, constraint=name):
                if not name.endswith("_fkey") or seen.is_new(table):
                    continue
                if seen.made.drops_table(table) or seen.made.constraint(table, name):
                    continue
                yield Found(
                    f"nobody can read or write {table}, nor the table that it references, while this waits for "
                    f"whoever reads one of them, to drop {shown(name)}",
                    (table,),
                    subject=f"{table}.{name}",
                    instead="Let it run when no long transaction uses either table.",
                )


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
