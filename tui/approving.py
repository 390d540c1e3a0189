"""The review of a plan before it is approved: the same screen as in a session, without a runner behind it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.view import RunView, advance, fold
from tui.app import GonogoApp
from tui.screens.review import Review

HOW = "Read each script to its end, and mark it: m."
NEXT = "Each script is marked. q goes on: what you approve is asked then, and nothing is signed yet."


class PaperFace:
    """A session on paper: it takes marks of a review, and nothing else. `folder` holds the scripts."""

    has_pen = True
    meanwhile = None

    def __init__(self, folder: Path, opened: e.SessionOpened, plan: e.PlanMade, by: e.By) -> None:
        self.folder = folder
        self.view = fold([(0, _now(), opened), (1, _now(), plan)])
        self._by = by

    async def changes(self) -> AsyncIterator[RunView]:
        """There are no others who would change it."""
        yield self.view
        await asyncio.Event().wait()

    async def send(self, command: c.Command) -> str | None:
        """Take a mark."""
        if not isinstance(command, c.Review):
            return "this is a plan on paper: it is only read"
        marked = e.ScriptReviewed(
            migration=command.migration, sha256=command.sha256, comment=command.comment, by=self._by
        )
        self.view = advance(self.view, self.view.seq + 1, _now(), marked)
        return None

    def taken_out(self) -> tuple[str, ...]:
        """Nothing that is typed here is recorded."""
        return ()

    async def close(self) -> None:
        """Nothing is held."""


class ApprovalApp(GonogoApp):
    """Goes through the scripts of a plan, and is left with the review."""

    _all_marked = False

    @property
    def mark(self) -> str:
        """That nothing runs."""
        return "PLAN TO APPROVE"

    @property
    def reviews(self) -> bool:
        """That is what it is for."""
        return True

    @property
    def recorded(self) -> bool:
        """Nothing is recorded yet."""
        return False

    def open(self) -> None:
        """The review, and how it goes on from there."""
        self.push_screen(Review(self.clock), lambda _: self.exit(0))
        self.notify(HOW, timeout=6, markup=False)

    def tell(self) -> None:
        """How it goes on, once there is nothing left to mark."""
        before, self._all_marked = self._all_marked, not missing(self.view)
        if self._all_marked and not before:
            self.clear_notifications()
            self.notify(NEXT, timeout=20, markup=False)


def missing(view: RunView) -> tuple[str, ...]:
    """The scripts that are not marked yet."""
    scripts = view.plan.to_review if view.plan else ()
    return tuple(script.migration for script in scripts if script.migration not in view.reviews)


def remarks(view: RunView) -> tuple[str, ...]:
    """What was said of scripts as they were marked, each with its script."""
    return tuple(f"{name}: {one.comment}" for name, one in view.reviews.items() if one.comment)


def review(face: PaperFace) -> bool:
    """Show the review until it is left. Returns whether it was left as a review is, and not broken off."""
    return ApprovalApp(face).run() == 0


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
