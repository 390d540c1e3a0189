"""What the app needs of the client that it looks through."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from runbooks.faces.meanwhile import Told
from runbooks.session.commands import Command
from runbooks.session.events import Outcome
from runbooks.session.view import RunView


class Face(Protocol):
    """One face's end of a session. `runbooks.faces.client.Client` is one."""

    view: RunView
    folder: Path

    @property
    def has_pen(self) -> bool:
        """This face's commands are taken."""

    @property
    def meanwhile(self) -> Told | None:
        """What happened since this operator last looked, once that is known."""

    def changes(self) -> AsyncIterator[RunView]:
        """The newest view after each batch of events; ends with the session, or when the runner is gone."""

    async def send(self, command: Command) -> str | None:
        """Send a command: None when taken, else why it was refused."""

    def taken_out(self) -> tuple[str, ...]:
        """The names of secrets that stood in what was sent since this was asked last; the record lacks them."""

    async def close(self) -> None:
        """Detach."""


class Hold(Protocol):
    """One thing that keeps a hold point shut, as `RunView.gate.holds` has it."""

    @property
    def kind(self) -> str:
        """What sort: running, step, check, stale, item, review, question, refused, undo, window."""

    @property
    def subject(self) -> str:
        """What a waiver would name."""

    @property
    def words(self) -> str:
        """Why it holds."""

    @property
    def waivable(self) -> bool:
        """Whether a waiver would lift it."""

    @property
    def outcome(self) -> Outcome:
        """What a waiver would pass over."""
