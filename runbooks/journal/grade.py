"""What is proven of a journal, in one word. See docs/journal.md for what each does and does not prove."""

from typing import Literal

Grade = Literal["broken", "open", "consistent", "anchored", "signed"]

GRADES: tuple[Grade, ...] = ("broken", "open", "consistent", "anchored", "signed")
"""From nothing to the most; each holds what the ones before it hold."""

MEANING: dict[Grade, str] = {
    "broken": "it is not as it was written, or not what the head was taken from, or not what was signed; what is wrong "
    "stands above",
    "open": "every record holds, and the session has no end here: that a tail was cut off cannot be excluded",
    "consistent": "whole, and every record holds; whoever could write the file could also have made all of it anew",
    "anchored": "whole, and its last record is the one that a head from outside names: nothing was changed since that "
    "head was taken; whether what was recorded is true, no chain can tell",
    "signed": "whole, and its last record is signed: nothing was changed since, and the signer stands for it",
}
"""One sentence on what a grade proves, and what it does not."""


def reaches(grade: Grade, least: Grade) -> bool:
    """Whether a grade is at least another."""
    return GRADES.index(grade) >= GRADES.index(least)
