"""A timeout set to 0 ahead of a statement that shuts others out: then nothing ends the wait."""

import re
from collections.abc import Iterator

from migrations.rules.base import Found, Rule, Severity
from migrations.rules.situation import Situation
from migrations.sql import Statement
from migrations.sql import actions as a

_NONE = re.compile(r"[+-]?0*(?:\.0*)?\s*(?:us|ms|s|min|h|d)?")
_SEVERITIES: dict[str, Severity] = {"lock_timeout": "warn", "statement_timeout": "note"}


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """Every timeout that is switched off or set back, if a later statement keeps others from a table."""
    for action in statement.actions:
        match action:
            case a.Set(setting="lock_timeout" | "statement_timeout" as setting, value=str(value)):
                if _NONE.fullmatch(value.strip()) and seen.keeps_others_out_after(statement):
                    yield Found(
                        f"switches {setting} off: whoever queues up behind what follows waits without end",
                        subject=setting,
                        severity=_SEVERITIES[setting],
                        instead="Take it out, or give it a time that users can bear.",
                        safer_sql=f"SET {'LOCAL ' * action.local}{setting} = '5s';",
                    )
            case a.Set(setting="lock_timeout" | "*", value=None) if seen.keeps_others_out_after(statement):
                yield Found(
                    "sets lock_timeout back to its default, which is none as a rule: whoever queues up behind what "
                    "follows waits without end",
                    subject="lock_timeout",
                    instead="Take it out, or put it at the end.",
                )


RULE = Rule(
    code="timeout-switched-off",
    title="Switches a timeout off ahead of a lock",
    severity="warn",
    setup="CREATE TABLE t (c int)",
    risky="SET lock_timeout = 0; ALTER TABLE t ADD COLUMN d int",
    safer="SET lock_timeout = '2s'; ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT",
    about=(a.Set,),
    check=check,
)
