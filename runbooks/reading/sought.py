"""Looking for words in every record of a session."""

from collections.abc import Callable

from runbooks.reading.reel import Reel
from runbooks.reading.said import Said, plain
from runbooks.reading.verifying import Left

MOST = 10_000
"""More places than these are not counted."""


def places_in(reel: Reel, said: Said, words: str, needed: Callable[[], bool] = lambda: True) -> tuple[int, ...]:
    """The records that have these words, in what they say or in what they hold, whatever the case; in order.

    Slow. Raises Left when it is no longer needed.
    """
    found, sought = [], words.casefold()
    for record in reel.records(0, len(reel)):
        if not needed():
            raise Left
        text = f"{plain(said.words(record))}\n{_held(record.event.model_dump(mode='json'))}"
        if sought in text.casefold():
            found.append(record.seq)
        if len(found) == MOST:
            break
    return tuple(found)


def _held(value: object) -> str:
    """All texts in it."""
    match value:
        case dict():
            return "\n".join(f"{key} {_held(each)}" for key, each in value.items())
        case list():
            return "\n".join(map(_held, value))
        case _:
            return str(value)
