"""What goes over the socket between the runner and a face: JSON, one object a line.

Face to runner: `attach` first, then `command`s. Runner to face: `hello` first, then journal lines exactly as they
are on disk (they have a `seq`), a `reply` to each command, and `bye` when the runner leaves by itself.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from runbooks.session.commands import Command
from runbooks.session.events import AnswersFile, By
from runbooks.session.frozen import Frozen
from runbooks.signing.signatory import Signing

COMMAND_LIMIT = 1024 * 1024
"""Bytes of one line from a face at the most. From the runner come lines as long as the journal's may be."""
PIECE = 64 * 1024
"""Bytes that are taken in at once: the rest of the program gets a turn between two of them."""


class Attach(Frozen):
    """`after` is the last record that the face has; -1 for none. `answers` is the file that it brings, if it does.

    So is `signing`; `agent` is the socket of the SSH agent of whoever looks at it.
    """

    say: Literal["attach"] = "attach"
    after: int = -1
    sort: Literal["screen", "headless"]
    by: By
    answers: AnswersFile | None = None
    signing: Signing | None = None
    agent: str = ""


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
    """`refused` is None when the command was taken; `taken_out` names secrets that stood in what a person typed."""

    say: Literal["reply"] = "reply"
    number: int
    refused: str | None
    taken_out: tuple[str, ...] = ()


class Bye(Frozen):
    """Why the runner leaves, and the exit code that it means."""

    say: Literal["bye"] = "bye"
    reason: str
    exit_code: int


FromFace = Annotated[Attach | Send, Field(discriminator="say")]
FROM_FACE: TypeAdapter[FromFace] = TypeAdapter(FromFace)


def line(message: Frozen) -> bytes:
    """A message as it is sent."""
    return message.model_dump_json().encode() + b"\n"


async def lines(reader: asyncio.StreamReader, limit: int) -> AsyncIterator[bytes]:
    """The lines that come in, each with its line feed. Raises ConnectionError, ValueError for one over `limit`.

    asyncio's own limit would be the size of its buffer too, and its `readline` gives nobody else a turn.
    """
    rest = bytearray()
    while piece := await reader.read(PIECE):
        first, *more = piece.split(b"\n")
        rest += first
        if len(rest) > limit:
            raise ValueError(f"a line of more than {limit} bytes")
        for each in more:
            yield bytes(rest) + b"\n"
            rest = bytearray(each)
        await asyncio.sleep(0)
