"""A session as asciicast v3: what the headless face would print, at the times of the journal.

See https://docs.asciinema.org/manual/asciicast/v3
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from runbooks.faces.headless_told import HeadlessTold
from runbooks.journal.records import Record, opened
from runbooks.report.escape import one_line, running
from runbooks.report.timings import between
from runbooks.session import events as e

COLUMNS, ROWS = 100, 30
IDLE_SECONDS = 2
"""Players cut pauses down to this; the recording has them as they were."""


def cast(records: Iterable[Record]) -> Iterator[str]:
    """The recording, line by line; of each record nothing is kept. Raises ValueError if the first opens no session."""
    told, last = HeadlessTold(), ""
    for record in records:
        if not last:
            last = record.at
            yield _header(record)
        for code, text in _said(told, record.event):
            yield _line([max(0, between(last, record.at)) / 1_000_000, code, text])
            last = max(last, record.at)


def _header(record: Record) -> str:
    opening = opened(record)
    return _line(
        {
            "version": 3,
            "term": {"cols": COLUMNS, "rows": ROWS},
            "timestamp": int(datetime.fromisoformat(record.at).timestamp()),
            "idle_time_limit": IDLE_SECONDS,
            "title": one_line(f"{opening.environment} · {opening.ticket} · {opening.session}"),
        }
    )


def _said(told: HeadlessTold, event: e.Event) -> Iterator[tuple[str, str]]:
    """Events of the recording: a marker at each phase, the lines, and at the end the exit code."""
    if isinstance(event, e.PhaseOpened):
        yield "m", one_line(event.phase)
    if lines := told.lines(event):
        yield "o", "".join(f"{running(line)}\r\n" for line in lines)
    if isinstance(event, e.SessionEnded):
        yield "x", str(event.exit_code)


def _line(value: object) -> str:
    return f"{json.dumps(value, ensure_ascii=False)}\n"
