"""session_replication_role = replica: no trigger fires and no foreign key is checked, for all that follows."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """By SET, or by a call of `set_config`."""
    for action in statement.actions:
        match action:
            case a.Set(setting="session_replication_role", value=str(value), local=local) if value.lower() == "replica":
                until = "to the end of the transaction" if local else "in all of this session, later scripts included"
                yield Found(
                    f"switches off every trigger and every foreign key {until}: what is written then is never checked",
                    subject="session_replication_role",
                    instead="DISABLE TRIGGER USER on the tables that it is about leaves foreign keys in force.",
                )


RULE = Rule(
    code="session-replication-role",
    title="Switches off foreign keys and triggers",
    severity="warn",
    setup="CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (c int REFERENCES o)",
    risky="SET session_replication_role = replica",
    safer="ALTER TABLE t DISABLE TRIGGER USER; ALTER TABLE t ENABLE TRIGGER USER",
    source="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SESSION-REPLICATION-ROLE",
    about=(a.Set,),
    check=check,
)
