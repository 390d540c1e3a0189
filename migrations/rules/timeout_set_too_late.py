"""A lock_timeout that is set after the statement which it was for."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """A first SET lock_timeout with locks before it, and none after."""
    for action in statement.actions:
        match action:
            case a.Set(setting="lock_timeout", value=str()):
                late = seen.kept_others_out and not seen.keeps_others_out_after(statement)
                if late and "lock_timeout" not in seen.settings_changed:
                    yield Found(
                        "sets lock_timeout when the statements that wait for locks are already behind it",
                        subject="lock_timeout",
                        instead="Set it at the top of the script.",
                    )


RULE = Rule(
    code="timeout-set-too-late",
    title="Sets lock_timeout after the statement it was for",
    severity="warn",
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD COLUMN d int; SET lock_timeout = '2s'",
    safer="SET lock_timeout = '2s'; ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT",
    about=(a.Set,),
    check=check,
)
