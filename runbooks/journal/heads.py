"""Heads that come from outside: the hash of a record, noted where whoever holds the journal cannot reach."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from migrations.problem import Misuse
from runbooks.journal.records import Record

_HEAD = re.compile(r"(?:(\d{1,15}):)?([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """The hash of a record, and its number where that was noted too."""

    hash: str
    seq: int | None = None

    def __str__(self) -> str:
        return self.hash if self.seq is None else f"{self.seq}:{self.hash}"


def parse_head(text: str) -> Head:
    """A head as gonogo prints it, `SEQ:HASH`, or the hash alone. Raises Misuse; for a part of a hash too.

    Sixteen digits could be met by making records until one fits: what proves is the whole.
    """
    found = _HEAD.fullmatch(text.strip().lower())
    if found is None:
        raise Misuse(
            f"{text[:80]!a} is no head.",
            advice="A head is the 64 hex digits of a record's hash, or SEQ:HASH; a part of it proves too little.",
        )
    return Head(found[2], None if found[1] is None else int(found[1]))


class Sought:
    """Which of the heads are met by the records, and by which."""

    def __init__(self, heads: Iterable[Head]) -> None:
        self._left = set(heads)
        self._hashes = {head.hash for head in self._left}
        self.reached: int | None = None
        """The last record that a head names: it, and all before it, are as they were when the head was taken."""

    def take(self, record: Record) -> None:
        """One record that holds."""
        if record.hash in self._hashes:
            met = self._left & {Head(record.hash), Head(record.hash, record.seq)}
            self._left -= met
            self.reached = record.seq if met else self.reached

    @property
    def strangers(self) -> tuple[Head, ...]:
        """The heads that no record had."""
        return tuple(sorted(self._left, key=str))
