"""A name over 63 bytes: the server cuts it, and says so in a notice that nobody reads."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql.identifiers import LONGEST, cut, long_identifiers
from migrations.sql.names import shown


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Two that are the same after the cut are worse than one."""
    for name in long_identifiers(statement):
        short = cut(name)
        others = (other for s in seen.script.statements for other in long_identifiers(s))
        other = next((other for other in others if other != name and cut(other) == short), None)
        yield Found(
            f"the name {shown(name)} is longer than {LONGEST} bytes: the server makes {shown(short)} of it"
            + (f", and the same of {shown(other)}" if other else ""),
            statement.facts.touches,
            subject=short,
            severity="warn" if other else None,
            instead=f"Give it a name of at most {LONGEST} bytes.",
        )


RULE = Rule(
    code="identifier-too-long",
    title="Has a name that the server cuts",
    severity="note",
    fails="42701",
    setup="CREATE TABLE t (c int)",
    risky=f"ALTER TABLE t ADD COLUMN {'long_' * 13}a int, ADD COLUMN {'long_' * 13}b int",
    safer="ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int",
    source="https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS",
    check=check,
)
