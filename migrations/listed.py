"""Names in a line."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 20) -> str:
    """The first of some names, the rest counted."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
