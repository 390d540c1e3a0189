"""Looking for words in a script, in steps that let the screen go on being drawn."""

import re
from collections.abc import Iterator
from itertools import islice

MOST = 10_000
"""More places than these are not counted."""

STEP = 131_072
"""So many characters are searched before another thread may have its turn."""


def places_of(words: str, text: str) -> tuple[int, ...]:
    """Where the words stand in a text, whatever their case; at most `MOST` places."""
    return tuple(islice(_places(words, text), MOST))


def _places(words: str, text: str) -> Iterator[int]:
    pattern = re.compile(re.escape(words), re.IGNORECASE)
    at = 0
    while at < len(text):
        end = at + STEP
        for match in pattern.finditer(text, at, end + len(words) - 1):
            yield match.start()
            end = max(end, match.end())
        at = end
