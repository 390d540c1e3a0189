"""What goes over the socket between the runner and a face: JSON, one object a line.

Face to runner: `attach` first, then `command`s. Runner to face: `hello` first, then journal lines exactly as they
are on disk (they have a `seq`), and a `reply` to each command.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from runbooks.commands import Command
from runbooks.events import By
from runbooks.frozen import Frozen

LIMIT = 4 * 1024 * 1024
"""Bytes of one line at the most (a plan of many scripts is one record)."""


class Attach(Frozen):
    """`after` is the last record that the face has; -1 for none."""

    say: Literal["attach"] = "attach"
    after: int = -1
    sort: Literal["screen", "headless"]
    by: By


class Send(Frozen):
    """A command, numbered by the face."""

    say: Literal["command"] = "command"
    number: int
    command: Command


class Hello(Frozen):
    """The face's name, and whether it holds the pen."""

    say: Literal["hello"] = "hello"
    face: str
    pen: bool


class Reply(Frozen):
    """`refused` is None when the command was taken."""

    say: Literal["reply"] = "reply"
    number: int
    refused: str | None


FromFace = Annotated[Attach | Send, Field(discriminator="say")]
FROM_FACE: TypeAdapter[FromFace] = TypeAdapter(FromFace)


def line(message: Frozen) -> bytes:
    """A message as it is sent."""
    return message.model_dump_json().encode() + b"\n"
