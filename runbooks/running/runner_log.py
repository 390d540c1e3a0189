"""What the runner writes into `runner.log`: tracebacks and warnings too, without secrets."""

import contextlib
import io
from typing import BinaryIO

from runbooks.redact import Redactor


class RunnerLog(io.TextIOBase):
    """Stands in for `sys.stderr`. Until the secrets of a project are known, passwords in URLs are.

    `out` is unbuffered. A disk that is full takes no log; that is no reason to stop in the middle of a step.
    """

    def __init__(self, out: BinaryIO) -> None:
        super().__init__()
        self.redactor = Redactor({})
        self._out = out
        self._line = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take text; whole lines go out."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._put(f"{line}\n")
        return len(text)

    def flush(self) -> None:
        """Let out what stands on a line that is not over."""
        rest, self._line = self._line, ""
        self._put(rest)

    def _put(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._out.write(self.redactor.text(text).encode("utf-8", "replace"))
