"""What earlier sessions of this machine know of a database's ledger: what they read in it, and what they left open."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrations.doctor import Earlier
from migrations.problem import Problem
from migrations.target import Fingerprint
from runbooks.history.skimmed import skim, walked
from runbooks.session.events import PlanMade, StepEnded, Target

READING = "reading"
"""The key in a step's result under which it keeps the ledger as it left it: a list of name, SHA-256, finished at."""
MOST = 30
"""So many sessions are looked at."""


@dataclass(frozen=True, slots=True)
class Known:
    """`reading`: the rows that were applied when a session last looked. `open`: sessions to resume, by ledger row."""

    reading: tuple[Earlier, ...] = ()
    open: Mapping[str, str] = field(default_factory=dict)


def identity(target: Target | Fingerprint) -> str:
    """What tells a database from one that took its name, as a restored or a rebuilt one does."""
    return f"{target.system_identifier}/{target.database}/{target.oid}"


def known_before(root: Path, environment: str, here: str, rows: tuple[str, ...] = (), *, besides: str = "") -> Known:
    """Of the newest session that read the ledger of this very database, which is `here`.

    `rows` are ids of open rows to look for. `besides`: a session that does not count. What cannot be read is passed
    over.
    """
    open_rows: dict[str, str] = {}
    reading: tuple[Earlier, ...] | None = None
    for folder in walked(root, environment, MOST):
        if folder.name == besides:
            continue
        found = _Session()
        try:
            for tail, line in skim(folder):
                found.take(tail.kind, line, rows)
        except (Problem, ValueError, KeyError, TypeError):
            continue
        if not found.ended:
            open_rows |= {row: folder.name for row in found.rows if row not in open_rows}
        if reading is None and found.identity == here:
            reading = found.reading
        if reading is not None and len(open_rows) == len(rows):
            break
    return Known(reading or (), open_rows)


class _Session:
    """One session, as far as it is read."""

    def __init__(self) -> None:
        self.identity = ""
        self.reading: tuple[Earlier, ...] = ()
        self.rows: set[str] = set()
        self.ended = False

    def take(self, kind: str, line: bytes, rows: tuple[str, ...]) -> None:
        """Look at one record."""
        if kind == "plan_made":
            plan = PlanMade.model_validate(json.loads(line)["data"])
            self.identity = identity(plan.target)
            self.reading = tuple(Earlier(row.migration, row.sha256, row.at) for row in plan.applied)
        elif kind == "step_ended" and f'"{READING}":'.encode() in line:
            left = StepEnded.model_validate(json.loads(line)["data"]).result.get(READING)
            if isinstance(left, list):
                self.reading = tuple(Earlier(*map(str, row)) for row in left if isinstance(row, list))
        elif kind == "step_progress":
            self.rows |= {row for row in rows if f'"row":"{row}"'.encode() in line}
        elif kind == "session_ended":
            self.ended = True
