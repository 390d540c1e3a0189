"""Names of migrations: the order that Prisma applies them in, and what a project wants them to look like."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from migrations.problem import Misuse

OrderKey = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], str]

_PUNCTUATION = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_WEIGHTS = {char: weight for weight, char in enumerate(_PUNCTUATION + "0123456789abcdefghijklmnopqrstuvwxyz", 1)}
_BEYOND_ASCII = 1000


@lru_cache(maxsize=8192)
def order_key(name: str) -> OrderKey:
    """The sort key of a name in Prisma's order, which is JavaScript's `localeCompare`, not byte order.

    Exact for ASCII. Beyond ASCII, accents count after the letters, and other scripts come after Latin.
    """
    chars = [char for char in unicodedata.normalize("NFD", name) if char.isprintable()]
    letters = [char for char in chars if not unicodedata.combining(char)]
    return (
        tuple(_weight(char.lower()) for char in letters),
        tuple(ord(char) for char in chars if unicodedata.combining(char)),
        tuple(int(char.isupper()) for char in letters),
        name,
    )


def _weight(char: str) -> int:
    return _WEIGHTS.get(char) or _BEYOND_ASCII + ord(char[0])


@dataclass(frozen=True, slots=True)
class Convention:
    """What names must look like. `stamp` is the form of the time at their start, empty for a regular expression."""

    spec: str
    looks: str
    pattern: re.Pattern[str]
    stamp: str = ""
    baseline: bool = False

    def faults(self, name: str, now: datetime | None = None) -> list[str]:
        """What is wrong with a name, in words; empty if nothing. With `now` (UTC), stamps after it are a fault."""
        if self.baseline and _BASELINE.fullmatch(name):
            return []
        found = self.pattern.fullmatch(name)
        if found is None:
            return [self._mismatch(name)]
        return self._stamp_faults(found["stamp"], now) if self.stamp else []

    def collisions(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The stamps that more than one name has, each with these names."""
        by_stamp: dict[str, list[str]] = {}
        for name in names:
            found = self.pattern.fullmatch(name)
            if self.stamp and found:
                by_stamp.setdefault(found["stamp"], []).append(name)
        return {stamp: same for stamp, same in by_stamp.items() if len(same) > 1}

    def _mismatch(self, name: str) -> str:
        if not self.stamp:
            return f"does not match {self.looks}"
        stamp = _STAMP.match(name)
        if stamp is None:
            return f"does not start with a time: expected {self.looks}"
        rest = name[stamp.end() :]
        if not rest.strip("_-"):
            return f"has no description after its time: expected {self.looks}"
        wrong = sorted({char for char in rest[1:] if not re.fullmatch("[a-z0-9_]", char)})
        if rest[0] == "_" and wrong:
            return f"has {' '.join(repr(char) for char in wrong)} in it: only a-z, 0-9 and _ are expected"
        return f"does not look like {self.looks}"

    def _stamp_faults(self, stamp: str, now: datetime | None) -> list[str]:
        try:
            moment = datetime.strptime(stamp, self.stamp).replace(tzinfo=UTC)
        except ValueError:
            return [f"{stamp} is no date and time that exists"]
        return [f"{stamp} is in the future (UTC)"] if now is not None and moment > now else []


_STAMP = re.compile(r"\d[\d-]*")
# Prisma's own documentation names a baseline `0_init`, and a squashed history `000000000000_squashed_migrations`.
_BASELINE = re.compile(r"0+_[a-z0-9_]*[a-z0-9][a-z0-9_]*", re.ASCII)
_REST = r"_[a-z0-9_]*[a-z0-9][a-z0-9_]*"

_KNOWN = {
    "prisma": Convention(
        "prisma",
        "YYYYMMDDHHMMSS_name",
        re.compile(rf"(?P<stamp>\d{{14}}){_REST}", re.ASCII),
        "%Y%m%d%H%M%S",
        baseline=True,
    ),
    "dashed": Convention(
        "dashed", "YYYYMMDD-HHMMSS_name", re.compile(rf"(?P<stamp>\d{{8}}-\d{{6}}){_REST}", re.ASCII), "%Y%m%d-%H%M%S"
    ),
    "date": Convention("date", "YYYYMMDD_name", re.compile(rf"(?P<stamp>\d{{8}}){_REST}", re.ASCII), "%Y%m%d"),
}


def convention(spec: str) -> Convention:
    """The convention that `project.naming` names: `prisma`, `dashed`, `date`, or a regular expression for whole names.

    Raises Misuse if the expression does not compile.
    """
    if spec in _KNOWN:
        return _KNOWN[spec]
    try:
        return Convention(spec, spec, re.compile(spec))
    except re.error as error:
        raise Misuse(
            f"project.naming is neither {', '.join(_KNOWN)} nor a regular expression that can be read: {error}.",
            advice="Write one of these names, or mend the expression.",
        ) from None
