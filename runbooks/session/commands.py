"""The closed set of commands. Each becomes an event, or is refused with a reason."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from runbooks.session.frozen import Frozen


class Start(Frozen):
    """Start a step that waits for it, or run one again."""

    kind: Literal["start"] = "start"
    step: str


class Stop(Frozen):
    """Finish this script or batch, then end the step."""

    kind: Literal["stop"] = "stop"


class Cancel(Frozen):
    """End the running step now."""

    kind: Literal["cancel"] = "cancel"


class Answer(Frozen):
    kind: Literal["answer"] = "answer"
    question: str
    answer: str


class Tick(Frozen):
    kind: Literal["tick"] = "tick"
    item: str
    state: Literal["done", "not_applicable"] = "done"
    evidence: str = ""
    reason: str = ""


class Untick(Frozen):
    kind: Literal["untick"] = "untick"
    item: str


class Review(Frozen):
    """The script was opened and read; `sha256` is of the bytes that were shown."""

    kind: Literal["review"] = "review"
    migration: str
    sha256: str
    comment: str = ""


class Waive(Frozen):
    kind: Literal["waive"] = "waive"
    subject: str
    reason: str


class Decide(Frozen):
    """The operator's word at a hold point. NO-GO needs a reason."""

    kind: Literal["decide"] = "decide"
    what: Literal["go", "no_go"]
    phase: str
    reason: str = ""


class RollBack(Frozen):
    kind: Literal["roll_back"] = "roll_back"
    option: str
    reason: str


class TakePen(Frozen):
    kind: Literal["take_pen"] = "take_pen"
    reason: str


class EndSession(Frozen):
    kind: Literal["end"] = "end"
    reason: str


Command = Annotated[
    Start | Stop | Cancel | Answer | Tick | Untick | Review | Waive | Decide | RollBack | TakePen | EndSession,
    Field(discriminator="kind"),
]

COMMAND: TypeAdapter[Command] = TypeAdapter(Command)

SUBJECTS = ("step", "item", "subject", "migration", "option", "phase", "question")
"""The fields of commands that name what they are about."""


TYPED = ("evidence", "reason", "answer", "comment")
"""The fields of commands that hold what a person typed."""


def typed_in(command: Command) -> tuple[str, ...]:
    """What a person typed into a command."""
    return tuple(str(value) for field, value in command if field in TYPED)


def lacking(names: Sequence[str]) -> str:
    """What a person is told who typed these secrets."""
    return f"A secret stood in what you typed: {', '.join(names)}. The record has a mark in its place."


def subject_of(command: Command) -> str:
    """What a command is about, in one word; empty if it names nothing."""
    return next((str(value) for field, value in command if field in SUBJECTS), "")
