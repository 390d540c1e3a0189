"""ALTER DOMAIN VALIDATE CONSTRAINT: unlike that of a table, it keeps writers out while all rows are checked."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Of a domain that was there before."""
    for action in statement.actions:
        match action:
            case a.AlterDomain(domain=domain, what="validate constraint") if not seen.is_made("domain", domain):
                yield Found(
                    f"nobody can write to any table that uses domain {domain} until every row of them is checked",
                    subject=str(domain),
                    instead="Do it at a quiet hour. A CHECK on the column itself is validated while others write.",
                )


RULE = Rule(
    code="domain-constraint-validate",
    title="Checks all rows that use a domain while writers wait",
    severity="warn",
    lock=Lock.SHARE,
    blocks="writes",
    setup="CREATE DOMAIN d AS int; CREATE TABLE t (c d); "
    "ALTER DOMAIN d ADD CONSTRAINT positive CHECK (value > 0) NOT VALID",
    risky="ALTER DOMAIN d VALIDATE CONSTRAINT positive",
    safer="ALTER TABLE t ADD CONSTRAINT positive CHECK (c > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT positive",
    source="https://www.postgresql.org/docs/current/sql-alterdomain.html",
    about=(a.AlterDomain,),
    check=check,
)
