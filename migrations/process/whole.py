"""Work in a thread that is done to its end."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def whole(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Work in a thread. When cancelled, wait for its end first: it must not go on behind whoever tidies up."""
    thread = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(thread)
    finally:
        await asyncio.wait((thread,))
