"""A lock that shuts others out, without a lock_timeout in the script. gonogo sets one itself; other tools do not."""

from collections.abc import Iterator

from migrations.rules.base import Found, Rule
from migrations.rules.situation import Situation
from migrations.sql import Statement


def check(statement: Statement, seen: Situation) -> Iterator[Found]:
    """The first such statement of a script that sets no lock_timeout before it."""
    first = seen.keeps_others_out(statement) and not seen.kept_others_out
    if first and "lock_timeout" not in seen.settings_changed:
        yield Found(
            "waits for its lock as long as it takes, and everybody who comes later waits behind it",
            subject="lock_timeout",
            instead="Set lock_timeout at the top of the script, if something else than gonogo runs it.",
            safer_sql="SET lock_timeout = '5s';",
        )


RULE = Rule(
    code="no-lock-timeout",
    title="Takes a lock without lock_timeout",
    severity="note",
    taste=True,
    setup="CREATE TABLE t (c int)",
    risky="ALTER TABLE t ADD COLUMN d int",
    safer="SET lock_timeout = '2s'; ALTER TABLE t ADD COLUMN d int",
    source="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT",
    check=check,
)
