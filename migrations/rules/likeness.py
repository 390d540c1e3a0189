"""Which of the names that a script takes away may be meant by one that it gives."""

from difflib import SequenceMatcher
from functools import lru_cache

_LIKE = 0.65
"""How much alike two of several names are, of 1, that may mean the same."""
_MOST = 2500
"""Pairs of names that are compared with each other; with more, they are taken in their order."""


@lru_cache(maxsize=64)
def pairs(taken: tuple[str, ...], given: tuple[str, ...]) -> dict[str, str]:
    """Names of the first kind, each with the one of the second that looks most like it. Of one and one, these."""
    if len(taken) * len(given) > _MOST:
        return dict(zip(taken, given, strict=False))
    least = _LIKE if len(taken) * len(given) > 1 else 0
    likeness = [(_likeness(old, new), old, new) for old in taken for new in given]
    found: dict[str, str] = {}
    for likely, old, new in sorted(likeness, key=lambda one: -one[0]):
        if likely >= least and old not in found and new not in found.values():
            found[old] = new
    return found


def _likeness(old: str, new: str) -> float:
    return SequenceMatcher(None, _plain(old), _plain(new)).ratio()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
