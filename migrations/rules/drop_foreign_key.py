"""DROP of a foreign key: the table that it references is locked as well, against reads too."""

from collections.abc import Iterator

from migrations.impact.foreseen import Foreseen
from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """By its name, as such are named, for the script does not say what it was."""
    for action in _dropped(statement, seen):
        if action.constraint.endswith("_fkey"):
            yield _found(action, "the table that it references")


def look(statement: Statement, seen: Situation, foreseen: Foreseen) -> Iterator[Found]:
    """Those with other names, too."""
    for action in _dropped(statement, seen):
        relation = foreseen.relation(action.table)
        for key in relation.keys_out if relation else ():
            if key.name == action.constraint and foreseen.known and relation:
                partner = foreseen.known.relation(key.partner)
                yield _found(action, partner.shown if partner else str(key.partner))


def _dropped(statement: Statement, seen: Situation) -> Iterator[a.DropConstraint]:
    """Where the script drops the table, or adds the key anew, another rule says more."""
    for action in statement.actions:
        match action:
            case a.DropConstraint(table=table, constraint=name) if not seen.is_new(table):
                if not seen.ahead.of(table).is_dropped and not seen.ahead.of(table).constraints.get(name):
                    yield action


def _found(action: a.DropConstraint, other: str) -> Found:
    return Found(
        f"nobody can read or write {action.table}, nor {other}, while this waits for whoever reads one of them, to "
        f"drop {shown(action.constraint)}",
        (action.table,),
        subject=f"{action.table}.{action.constraint}",
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
    about=(a.DropConstraint,),
    check=check,
    look=look,
)
