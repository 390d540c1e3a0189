"""What comes out of a program's pipe, as text."""

import asyncio
import codecs
import fcntl
import os
import sys
import termios
from collections.abc import Awaitable, Callable
from typing import Any, Literal

CHUNK = 64 * 1024

Stream = Literal["out", "err"]
OnText = Callable[[Stream, str], Awaitable[None]]


async def pump(pipe: int, name: Stream, put: OnText | None, turn: asyncio.Lock, over: "asyncio.Task[Any]") -> None:
    """Pass on what comes out of a pipe until it ends, or until the program did and the pipe was emptied once.

    `turn` is held while `put` runs: two pipes of one program take turns.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    left: int | None = None
    while left is None or left > 0:
        await _readable(pipe, over)
        if left is None and over.done():
            left = _waiting(pipe)
            continue
        try:
            data = os.read(pipe, CHUNK if left is None else min(CHUNK, left))
        except BlockingIOError:
            continue
        left = left if left is None else left - len(data)
        text = decoder.decode(data, final=not data)
        if text and put is not None:
            async with turn:
                await put(name, text)
        if not data:
            return
    rest = decoder.decode(b"", final=True)
    if rest and put is not None:
        async with turn:
            await put(name, rest)


async def _readable(pipe: int, over: "asyncio.Task[Any]") -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(pipe, lambda: None if ready.done() else ready.set_result(None))
    try:
        await asyncio.wait((ready, over), return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(pipe)


def _waiting(pipe: int) -> int:
    size = fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0")
    return int.from_bytes(size, sys.byteorder)
