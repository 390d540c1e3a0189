"""What one step says and how far it is: in batches, so that neither the journal nor a screen drowns in it."""

import asyncio
import contextlib
import time

from pydantic import JsonValue

from runbooks.journal import JournalBroken
from runbooks.running.recorder import Recorder
from runbooks.session import events as e

BATCH_LINES = 100
BATCH_SECONDS = 0.1
PIECE = 12 * 1024
"""Characters of one record: 48 KiB at the most."""
PROGRESS_SECONDS = 1.0


class Output:
    """Text of one step, in batches of 100 lines or 0.1 s, secrets taken out across the pieces."""

    def __init__(self, recorder: Recorder, step: str, attempt: int) -> None:
        self._recorder = recorder
        self._step = step
        self._attempt = attempt
        self._streams = {name: recorder.redactor.stream() for name in ("out", "err", "note")}
        self._pending: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, text: str, stream: str) -> None:
        """Take a piece of text."""
        for other in [s for s in self._pending if s != stream]:
            self._emit(other, whole_lines=True)
        pending = self._pending.get(stream, "") + self._streams[stream].feed(text)
        self._pending[stream] = pending
        if pending.count("\n") >= BATCH_LINES or len(pending) >= PIECE:
            self._emit(stream, whole_lines=True)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._tick)

    def close(self) -> None:
        """Write what is left, whole line or not."""
        if self._timer:
            self._timer.cancel()
        for stream in self._streams:
            rest = self._streams[stream].flush()
            self._pending[stream] = self._pending.get(stream, "") + rest
            self._emit(stream, whole_lines=False)

    def _tick(self) -> None:
        self._timer = None
        with contextlib.suppress(JournalBroken):  # the recorder has told the runner
            for stream in list(self._pending):
                self._emit(stream, whole_lines=True)

    def _emit(self, stream: str, *, whole_lines: bool) -> None:
        """Write what is pending, cut at the ends of lines; an open line only if it must go, or is a long one."""
        text, start = self._pending.pop(stream, ""), 0
        while start < len(text):
            end = text.rfind("\n", start, start + PIECE) + 1
            if not end and whole_lines and len(text) - start < PIECE:
                self._pending[stream] = text[start:]
                break
            end = end or min(start + PIECE, len(text))
            piece = text[start:end]
            self._recorder.append(e.StepOutput(step=self._step, attempt=self._attempt, stream=stream, text=piece))
            start = end


class Progress:
    """Where one step stands: written once a second at the most, the last of it always."""

    def __init__(self, recorder: Recorder, step: str, attempt: int) -> None:
        self._recorder = recorder
        self._step = step
        self._attempt = attempt
        self._next = 0.0
        self._held: dict[str, JsonValue] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def show(self, data: dict[str, JsonValue]) -> None:
        """Write this now, or when the second is over, unless something newer has come by then."""
        self._held = data
        wait = self._next - time.monotonic()
        if wait <= 0:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def flush(self) -> None:
        """Write what is held back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        data, self._held = self._held, None
        if data is not None:
            self._next = time.monotonic() + PROGRESS_SECONDS
            self._recorder.append(e.StepProgress(step=self._step, attempt=self._attempt, data=data))

    def _tick(self) -> None:
        with contextlib.suppress(JournalBroken):  # the recorder has told the runner
            self.flush()
