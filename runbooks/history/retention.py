"""Which dumps may go: pure, from what sessions have recorded and what lies there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from runbooks.history.backups import Kept
from runbooks.settings.durations import spell


@dataclass(frozen=True, slots=True)
class Verdict:
    """`stays` says why a dump is kept; empty for one that may go."""

    dump: Kept
    stays: str = ""


def judge(
    dumps: Sequence[Kept],
    sizes: Mapping[Path, int],
    needed: Mapping[Path, str],
    *,
    now: datetime,
    keep: int,
    older_than: timedelta,
) -> tuple[Verdict, ...]:
    """Newest first. `sizes`: of those that are there; `needed`: by sessions that have not ended.

    The `keep` newest stay, of those that are what was recorded, whatever their age: so there is always one.
    """
    there = {one.path: one for one in sorted(dumps, key=lambda one: one.taken_at) if one.path in sizes and one.ours}
    newest = sorted(there.values(), key=lambda one: one.taken_at, reverse=True)
    whole = [one.path for one in newest if sizes[one.path] == one.bytes]
    found = []
    for one in newest:
        old = now - datetime.fromisoformat(one.taken_at) > older_than
        if one.path not in whole:
            why = "it is not what was recorded"
        elif one.path in needed or one.open:
            why = f"session {needed.get(one.path, one.session)} has not ended"
        elif one.path in whole[:keep]:
            why = f"one of the {keep} newest"
        else:
            why = "" if old else f"not older than {spell(older_than)}"
        found.append(Verdict(one, why))
    return tuple(found)
