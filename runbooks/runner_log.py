"""What the runner writes into `runner.log`: tracebacks and warnings too, without secrets."""

import io
from typing import TextIO

from runbooks.redact import Redactor


class RunnerLog(io.TextIOBase):
    """Stands in for `sys.stderr`. Until the secrets of a project are known, passwords in URLs are."""

    def __init__(self, out: TextIO, redactor: Redactor | None = None) -> None:
        super().__init__()
        self.redactor = redactor or Redactor({})
        self._out = out
        self._line = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take text; whole lines go out."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._out.write(f"{self.redactor.text(line)}\n")
        if lines:
            self._out.flush()
        return len(text)

    def flush(self) -> None:
        """Let out what stands on a line that is not over."""
        rest, self._line = self._line, ""
        self._out.write(self.redactor.text(rest))
        self._out.flush()
