"""Whether what comes, and the way back, fit into what is left of a maintenance window. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from runbooks.session.events import WINDOW
from runbooks.session.lengths import minutes
from runbooks.session.runbook import BACKUPS, PHASES, Option, Step
from runbooks.session.windows import Standing, standing

if TYPE_CHECKING:
    from runbooks.session.view import RunView

APPLY = "migrations.apply"
TEST = "backup.restore_test"


@dataclass(frozen=True, slots=True)
class Fit:
    """A window at a moment, what is still to come, and the longest way back that is known; None: not known."""

    window: Standing
    ahead: timedelta | None
    back: timedelta | None
    back_by: str = ""

    @property
    def too_short(self) -> bool:
        """It is open, and what is known to be needed takes longer than it stays so."""
        needed = (self.ahead or timedelta()) + (self.back or timedelta())
        return self.window.now is not None and needed > self.window.left

    @property
    def words(self) -> str:
        """In a line."""
        way = f" ({self.back_by})" if self.back_by else ""
        parts = ("what comes", self.ahead, ""), ("the way back", self.back, way)
        known = [f"{what} takes {_about(length)}{by}" for what, length, by in parts if length is not None]
        unknown = [what for what, length, _ in parts if length is None]
        lacking = [f"how long {' and '.join(unknown)} will take is not known"] if unknown else []
        return "; ".join((self.window.words, *known, *lacking))


def _about(length: timedelta) -> str:
    return f"about {minutes(length)}" if length >= timedelta(minutes=1) else minutes(length)


def fit(view: "RunView") -> Fit | None:
    """How the session's windows stand at the view's time, by the server's clock; None where it has none."""
    if view.opened is None or not view.opened.windows:
        return None
    at = datetime.fromisoformat(view.at) + timedelta(microseconds=_server_ahead(view))
    back, by = max(_ways_back(view), default=(None, ""), key=lambda one: one[0])
    return Fit(standing(view.opened.windows, at), _ahead(view), back, by)


def _server_ahead(view: "RunView") -> int:
    ahead = view.step(WINDOW).progress.get("ahead")
    return ahead if isinstance(ahead, int) else 0


def _ahead(view: "RunView") -> timedelta | None:
    """What the steps that are still to come took the last time; the scripts at the least what their locks take."""
    known = [us for step in _to_come(view) if (us := _took(view, step)) is not None]
    return timedelta(microseconds=sum(known)) if known else None


def _to_come(view: "RunView") -> Iterator[Step]:
    here = PHASES.index(view.phase) if view.phase in PHASES else 0
    for phase in view.runbook.phases:
        place = PHASES.index(phase.name)
        if place >= max(here, PHASES.index("migrate")):
            yield from (step for step in view.active_steps(phase) if view.step(step.id).status != "ended")


def _took(view: "RunView", step: Step) -> int | None:
    before = view.took_before(step.id)
    scripts = _scripts(view) if step.uses == APPLY else 0
    return max(before.us if before else 0, scripts) if before or scripts else None


def _scripts(view: "RunView") -> int:
    """What the pending scripts take at the least: of each the longest lock, which is held to the end."""
    scripts = view.plan.scripts if view.plan else ()
    return sum(max((t.least or 0 for s in script.statements for t in s.touches), default=0) for script in scripts)


def _ways_back(view: "RunView") -> Iterator[tuple[timedelta, str]]:
    for option in view.runbook.options:
        us = _back(view, option)
        if us and not option.is_over(view.phase):
            yield timedelta(microseconds=us), option.title


def _back(view: "RunView", option: Option) -> int:
    """What is known of one: its steps the last time, and a restore at the least as long as the dump took, or a try."""
    steps = view.active_steps(option)
    before = sum(one.us for step in steps if (one := view.took_before(step.id)))
    if not any(step.uses.startswith("restore.") for step in steps):
        return before
    dumps = _lengths(view, BACKUPS, "duration_us")
    return max(before, sum(dumps), *_lengths(view, (TEST,), "restored_us"))


def _lengths(view: "RunView", uses: tuple[str, ...], key: str) -> list[int]:
    steps = (step for phase in view.runbook.phases for step in phase.steps if step.uses in uses)
    return [length for step in steps if isinstance(length := view.step(step.id).result.get(key), int)]
