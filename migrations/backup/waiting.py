"""Waiting for several things at once."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


async def first_failure(
    one: Coroutine[Any, Any, A], other: Coroutine[Any, Any, B], *, tick: Callable[[], Awaitable[None]], every: float
) -> tuple[A, B]:
    """Both results, with `tick` called `every` so many seconds. The first failure ends the other, and is raised."""
    tasks = asyncio.ensure_future(one), asyncio.ensure_future(other)
    try:
        while not all(task.done() for task in tasks):
            done, _ = await asyncio.wait(
                [t for t in tasks if not t.done()], timeout=every, return_when=asyncio.FIRST_EXCEPTION
            )
            for task in done:
                task.result()
            await tick()
        return tasks[0].result(), tasks[1].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
