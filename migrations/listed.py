"""Names and numbers in a line."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 20) -> str:
    """The first of some names, the rest counted."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def many(count: int, one: str, more: str = "") -> str:
    """`1 tick`, `3 ticks`; `more` where the plural is another word than `one` with an s."""
    return f"{count} {one if count == 1 else more or one + 's'}"
