"""What a person probably meant."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`, or begins with it, without regard to case; None if none is near."""
    by_lower = {k.lower(): k for k in known}
    longer = [k for k in by_lower if len(word) > 2 and k.startswith(word.lower())]
    if len(longer) == 1:
        return by_lower[longer[0]]
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def one_of(word: str, known: Iterable[str]) -> str:
    """What was expected in place of `word`: the nearest known word first, then all of them."""
    words = list(known)
    near = nearest(word, words)
    every = ", ".join(words)
    if near is None:
        return f"one of: {every}" if words else "nothing here"
    return f"`{near}`" if len(words) == 1 else f"`{near}` (known: {every})"
