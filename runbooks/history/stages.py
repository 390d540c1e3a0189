"""Which stages of a series earlier sessions of this machine have done on an environment."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from migrations.problem import Problem
from runbooks.history.sessions import Summary, summary
from runbooks.history.skimmed import begun, walked
from runbooks.journal.records import opened
from runbooks.session.follow_ups import NEXT_STAGE

MOST = 300
"""So many sessions are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class DoneStage:
    """A stage that a session ended with GO; `at` is when that session was opened."""

    stage: int
    session: str
    at: str


def stages_done(root: Path, project: str, environment: str, series: str, *, besides: str = "") -> list[DoneStage]:
    """The stages that are done, by their numbers, each by the newest session; what cannot be read is passed over."""
    found: dict[int, DoneStage] = {}
    for folder in walked(root, environment, MOST):
        if folder.name == besides or not (stage := _stage(folder, project, environment, series)) or stage in found:
            continue
        ended = summary(folder)
        if ended.outcome == "go":
            found[stage] = DoneStage(stage, folder.name, ended.opened_at)
    return [found[stage] for stage in sorted(found)]


def _stage(folder: Path, project: str, environment: str, series: str) -> int:
    """Which stage of the series a session is, by its first record; 0 if none."""
    try:
        event = opened(begun(folder)[0])
    except Problem:
        return 0
    of = event.runbook.series
    same = (event.project, event.environment) == (project, environment) and event.mode == "walk"
    return of.stage if of is not None and of.name == series and same else 0


def without_passed(sessions: Iterable[Summary]) -> list[Summary]:
    """The same sessions; a next stage that a later one of them has done is nobody's to do any more."""
    listed = list(sessions)
    done: dict[tuple[str, str, str], int] = {}
    for one in listed:
        if one.series is not None and one.outcome == "go":
            key = (one.project, one.environment, one.series.name)
            done[key] = max(done.get(key, 0), one.series.stage)
    return [_without(one, done) for one in listed]


def _without(one: Summary, done: dict[tuple[str, str, str], int]) -> Summary:
    if one.series is None or done.get((one.project, one.environment, one.series.name), 0) <= one.series.stage:
        return one
    return replace(one, follow_ups=tuple(owed for owed in one.follow_ups if owed.id != NEXT_STAGE))
