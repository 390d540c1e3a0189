"""What the journals of this machine know to have written into a database's ledger."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from migrations.doctor.history import Mark, Own
from migrations.problem import Problem
from runbooks.history.earlier import MOST, identity
from runbooks.history.skimmed import skim, walked
from runbooks.session.events import PlanMade, SessionOpened, StepEnded

RESOLVES = "ledger.resolve"


@dataclass(slots=True)
class _Session:
    identity: str = ""
    opened: SessionOpened | None = None
    began: dict[str, tuple[str, str]] = field(default_factory=dict)
    applied: set[str] = field(default_factory=set)
    marked: set[tuple[str, Mark]] = field(default_factory=set)

    def take(self, kind: str, line: bytes) -> None:
        """Look at one record."""
        if kind == "session_opened":
            self.opened = SessionOpened.model_validate(json.loads(line)["data"])
        elif kind == "plan_made":
            self.identity = identity(PlanMade.model_validate(json.loads(line)["data"]).target)
        elif kind == "step_progress" and b'"row":"' in line:
            self._script(json.loads(line)["data"]["data"])
        elif kind == "step_ended" and self._resolves:
            self._marks(StepEnded.model_validate(json.loads(line)["data"]))

    @property
    def _resolves(self) -> bool:
        return self.opened is not None and any(step.uses == RESOLVES for step in self.opened.runbook.steps())

    def _script(self, data: dict[str, object]) -> None:
        row, name = str(data.get("row")), str(data.get("name"))
        if data.get("event") == "ScriptStarted":
            self.began[row] = (name, str(data.get("checksum", "")))
        elif data.get("event") == "ScriptEnded":
            self.applied.add(row)
        elif data.get("event") == "RowRolledBack":
            self.marked.add((name, "rolled back"))

    def _marks(self, ended: StepEnded) -> None:
        assert self.opened is not None
        step = self.opened.runbook.step(ended.step)
        if step is None or step.uses != RESOLVES or ended.end != "done":
            return
        noted = ended.result.get("applied")
        self.marked |= {(str(name), "applied") for name in (noted if isinstance(noted, list) else ())}
        for key in ("rolled_back", "one_row"):
            given = step.params.get(key, [])
            self.marked |= {(str(name), "rolled back") for name in (given if isinstance(given, list) else [given])}


def own_before(root: Path, environment: str, here: str) -> Own:
    """Of the newest sessions on this very database, which is `here`; what cannot be read is passed over."""
    known = Own()
    for folder in walked(root, environment, MOST):
        session = _Session()
        try:
            for tail, line in skim(folder):
                session.take(tail.kind, line)
        except (Problem, ValueError, KeyError, TypeError, AttributeError):
            continue
        if session.identity == here:
            known = known.and_what(Own(session.began, frozenset(session.applied), frozenset(session.marked)))
    return known
