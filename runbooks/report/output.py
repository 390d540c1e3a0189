"""What a step put out: its beginning and its end are kept, the rest is counted, so that a million lines fit."""

from collections import deque
from collections.abc import Iterator

from runbooks.report.words import many
from runbooks.session import events as e

FIRST_LINES = 100
LAST_LINES = 300
LONGEST_LINE = 4000
"""So many characters of a line are shown; the rest is counted."""

Line = tuple[int, str, str]
"""Record, stream, text."""


class Output:
    """The output of one attempt. `total` lines came in the records from `first_seq` to `last_seq`."""

    def __init__(self) -> None:
        self.total = 0
        self.first_seq = self.last_seq = 0
        self._first: list[Line] = []
        self._last: deque[Line] = deque(maxlen=LAST_LINES)
        self._lost: tuple[int, int] | None = None

    def take(self, seq: int, event: e.StepOutput) -> None:
        """The lines of one record."""
        self.first_seq, self.last_seq = (self.first_seq if self.total else seq), seq
        for text in event.text.replace("\r\n", "\n").removesuffix("\n").split("\n"):
            self.total += 1
            line = (seq, event.stream, _cut(text))
            if len(self._first) < FIRST_LINES:
                self._first.append(line)
                continue
            if len(self._last) == LAST_LINES:
                self._lost = (self._lost[0] if self._lost else self._last[0][0], self._last[0][0])
            self._last.append(line)

    def lines(self) -> Iterator[Line | str]:
        """What is kept, and in its place a word about what is not."""
        yield from self._first
        if self._lost is not None:
            count = self.total - len(self._first) - len(self._last)
            yield f"({many(count, 'line')} left out here; the journal has them, {_records(*self._lost)})"
        yield from self._last


def _records(first: int, last: int) -> str:
    return f"record #{first}" if first == last else f"records #{first} to #{last}"


def _cut(text: str) -> str:
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[:LONGEST_LINE]}… ({many(len(text) - LONGEST_LINE, 'more character')})"
