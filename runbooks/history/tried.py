"""How each way back went when it was last taken on the environment beside, as far as this machine knows."""

import json
from pathlib import Path
from typing import Any

from migrations.problem import Problem
from runbooks.history.skimmed import begun, walked
from runbooks.journal.records import opened
from runbooks.session.events import Tried
from runbooks.session.runbook import Option, Runbook

MOST = 20
"""So many sessions are looked at."""
READ = ("phase_opened", "step_ended", "session_ended")


def tried(root: Path, project: str, environment: str | None, runbook: Runbook) -> dict[str, Tried]:
    """By option, the newest session on that environment that took it. What cannot be read is passed over."""
    found: dict[str, Tried] = {}
    if environment is None or not runbook.options:
        return found
    for folder in walked(root, environment, MOST):
        try:
            one = _taken(folder, project, environment, runbook)
        except (Problem, ValueError, KeyError, TypeError):
            continue
        if one is not None and one[0] not in found:
            found[one[0]] = one[1]
    return found


def _taken(folder: Path, project: str, environment: str, runbook: Runbook) -> tuple[str, Tried] | None:
    """The option that a session took, and how that went."""
    first, rest = begun(folder)
    event = opened(first)
    if (event.project, event.environment) != (project, environment):
        return None
    option, at, took, ended = "", "", 0, False
    for tail, line in rest:
        if tail.kind not in READ or (tail.kind == "step_ended" and not option):
            continue
        record: dict[str, Any] = json.loads(line)
        data = record["data"]
        if tail.kind == "phase_opened" and data["phase"] == "rollback":
            option, at = str(data["option"]), str(record["at"])
        elif tail.kind == "step_ended":
            took += int(data.get("took", 0))
        elif tail.kind == "session_ended":
            ended = data["outcome"] == "rolled_back"
    now = next((one for one in runbook.options if one.id == option), None)
    if now is None:
        return None
    before = next((one for one in event.runbook.options if one.id == option), None)
    same = before is not None and _written(before) == _written(now)
    return option, Tried(environment=environment, session=folder.name, at=at, ended=ended, us=took, same=same)


def _written(option: Option) -> list[tuple[str, object]]:
    return [(step.uses, step.params) for step in option.steps]
