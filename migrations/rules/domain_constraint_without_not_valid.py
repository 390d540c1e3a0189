"""ALTER DOMAIN ADD CONSTRAINT: nobody writes to any table that uses it while all their rows are checked."""

from collections.abc import Iterator

from migrations.locks import Lock
from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.rules.steps import in_one, made_name
from migrations.sql import Statement
from migrations.sql import actions as a
from migrations.sql.names import quoted
from migrations.sql.words import put_last


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """ADD CONSTRAINT and SET NOT NULL, of a domain that was there before."""
    for action in statement.actions:
        match action:
            case a.AlterDomain(domain=domain, what="add constraint" | "set not null" as what, not_valid=False):
                if seen.is_made("domain", domain):
                    continue
                not_null = quoted(made_name(domain.name, ending="not_null"))
                safer = (
                    put_last(statement.text, "ALTER", "NOT VALID")
                    if what == "add constraint"
                    else f"ALTER DOMAIN {domain.sql} ADD CONSTRAINT {not_null} CHECK (VALUE IS NOT NULL) NOT VALID"
                )
                yield Found(
                    f"nobody can write to any table that uses domain {domain} until every row of them is checked",
                    subject=str(domain),
                    instead="A CHECK that is NOT VALID holds for new values at once. To VALIDATE it keeps writers out "
                    "as long as this does: do that at a quiet hour, or check the rows yourself.",
                    safer_sql=in_one(safer),
                )


RULE = Rule(
    code="domain-constraint-without-not-valid",
    title="Adds a constraint to a domain and checks all rows that use it while writers wait",
    severity="warn",
    lock=Lock.SHARE,
    blocks="writes",
    setup="CREATE DOMAIN d AS int; CREATE TABLE t (c d)",
    risky="ALTER DOMAIN d ADD CONSTRAINT positive CHECK (value > 0)",
    safer="ALTER DOMAIN d ADD CONSTRAINT positive CHECK (value > 0) NOT VALID",
    source="https://www.postgresql.org/docs/current/sql-alterdomain.html",
    about=(a.AlterDomain,),
    check=check,
)
