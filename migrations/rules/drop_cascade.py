"""DROP … CASCADE: what goes with it stands nowhere in the script."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import shown

_WITH_RULES_OF_THEIR_OWN = (
    *("table", "schema", "type", "domain", "collation", "extension", "all that is owned by"),
    *a.COMPUTED_WITH,
)


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Views, sequences and their like that the script did not make; keys, with those that lead to them."""
    for action in statement.actions:
        match action:
            case a.Drop(kind=kind, name=name, cascade=True) if kind not in _WITH_RULES_OF_THEIR_OWN:
                if not seen.is_made(kind, name):
                    yield Found(
                        f"drops {kind} {name} and all that depends on it, which the script does not name: views, "
                        "triggers, defaults, constraints, indexes",
                        subject=str(name),
                        instead="Drop what depends on it by name, then this without CASCADE: it fails if anything is "
                        "forgotten.",
                    )
            case a.DropConstraint(table=table, constraint=name, cascade=True) if not seen.is_new(table):
                yield Found(
                    f"drops constraint {shown(name)} of {table} and every foreign key that hangs on it, which the "
                    "script does not name",
                    (table,),
                    subject=f"{table}.{name}",
                    instead="Drop these foreign keys by name, then this without CASCADE: it fails if anything is "
                    "forgotten.",
                )


RULE = Rule(
    code="drop-cascade",
    title="Drops more than it names",
    severity="warn",
    setup="CREATE TABLE t (c int); CREATE VIEW v AS SELECT c FROM t; CREATE VIEW w AS SELECT c FROM v",
    risky="DROP VIEW v CASCADE",
    safer="DROP VIEW w; DROP VIEW v",
    source="https://www.postgresql.org/docs/current/ddl-depend.html",
    about=(a.Drop, a.DropConstraint),
    check=check,
)
