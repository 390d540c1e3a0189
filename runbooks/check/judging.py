"""Verdicts of many scripts: from the cache, or judged anew by as many processes as pay off."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext

from runbooks.check.cache import Cache
from runbooks.check.verdict import Verdict

WORTH_A_PROCESS = 200_000
"""Characters of SQL. Fewer are judged before another process is ready."""

Texts = Mapping[str, str]
"""Scripts by their SHA-256."""


def verdicts(texts: Texts, cache: Cache, also: Collection[str] = ()) -> dict[str, Verdict]:
    """The verdict of each script."""
    known = {sha256: verdict for sha256 in texts if (verdict := cache.get(sha256)) is not None}
    fresh = _judge_all({sha256: text for sha256, text in texts.items() if sha256 not in known}, also)
    cache.put(fresh)
    return {**known, **fresh}


def _judge_all(texts: Texts, also: Collection[str]) -> dict[str, Verdict]:
    total = sum(map(len, texts.values()))
    first, *others = _shares(texts, max(1, min(_processors(), total // WORTH_A_PROCESS)))
    if not others:
        return _judge(first, also)
    _judge({"": ""}, ())  # what is loaded before the process divides is loaded once
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    helpers = [_Helper(context, share, also) for share in others]
    try:
        found = _judge(first, also)
        for helper in helpers:
            found |= helper.result()
        return found
    finally:
        for helper in helpers:
            helper.end()


def _judge(texts: Texts, also: Collection[str]) -> dict[str, Verdict]:
    if not texts:
        return {}
    from runbooks.check.reading import verdict_of  # slow to load, and not needed for what was kept

    return {sha256: verdict_of(text, also) for sha256, text in texts.items()}


def _shares(texts: Texts, count: int) -> Sequence[dict[str, str]]:
    """The scripts in shares of about one size, the largest scripts dealt first."""
    shares: list[dict[str, str]] = [{} for _ in range(count)]
    sizes = [0] * count
    for sha256 in sorted(texts, key=lambda sha256: -len(texts[sha256])):
        least = sizes.index(min(sizes))
        shares[least][sha256] = texts[sha256]
        sizes[least] += len(texts[sha256])
    return shares


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class _Helper:
    """A process that judges one share, sends what it found, and is gone; also when nobody reads it any more."""

    def __init__(self, context: BaseContext, share: Texts, also: Collection[str]) -> None:
        self._share, self._also = share, also
        self._link, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_help, args=(self._link, theirs, share, also), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()

    def result(self) -> dict[str, Verdict]:
        """What it found. Where it died (no memory), its share is judged here."""
        try:
            found: dict[str, Verdict] = self._link.recv()
        except (EOFError, OSError):
            return _judge(self._share, self._also)
        return found

    def end(self) -> None:
        """Let go of it."""
        self._link.close()
        self._process.terminate()
        self._process.join()


def _help(reading: Connection, writing: Connection, share: Texts, also: Collection[str]) -> None:
    reading.close()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(BrokenPipeError):
        writing.send(_judge(share, also))
