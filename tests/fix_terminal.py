"""A real terminal: keys go in, what is drawn comes out, and it can be closed under whoever sits in front of it."""

import os
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pytest
from fix_command import SmallProject, environment

SECONDS = 60.0
AGAIN = 0.5  # a key that comes before its screen can be read is dropped, so it is pressed again
ROWS, COLUMNS = 40, 120
LOGIN = """
import os, signal, sys
os.login_tty(0)
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "deaf" else signal.SIG_DFL)
os.execv(sys.executable, sys.argv[2:])
"""


class Terminal:
    """`gonogo …` in the foreground of a terminal of its own, as after a login. `deaf`: after `trap '' HUP`, too."""

    def __init__(self, small: SmallProject, *arguments: str, deaf: bool = False) -> None:
        self._drawn = b""
        self._master, slave = os.openpty()
        termios.tcsetwinsize(slave, (ROWS, COLUMNS))
        os.set_blocking(self._master, False)
        hears = "deaf" if deaf else "hears"
        argv = [sys.executable, "-c", LOGIN, hears, sys.executable, "-P", "-m", "tui", *arguments]
        env = environment({**small.env, "TERM": "xterm-256color", "LINES": str(ROWS), "COLUMNS": str(COLUMNS)})
        try:
            self.process = subprocess.Popen(argv, cwd=small.folder, env=env, stdin=slave, stdout=slave, stderr=slave)
        finally:
            os.close(slave)

    def shows(self, words: str) -> Callable[[], bool]:
        """Whether these words were drawn since the last new key."""
        return lambda: words.encode() in self._drawn

    def press(self, keys: str, reached: Callable[[], object]) -> None:
        """Press keys, and wait until a condition holds."""
        self._drawn = b""
        deadline, again = time.monotonic() + SECONDS, 0.0
        while not reached():
            assert self.process.poll() is None, self._drawn.decode(errors="replace")
            assert time.monotonic() < deadline, f"{keys!r} led nowhere: {self._drawn.decode(errors='replace')}"
            if time.monotonic() > again:
                os.write(self._master, keys.encode())
                again = time.monotonic() + AGAIN
            self._look()
            time.sleep(0.01)

    def enter(self, line: str, reached: Callable[[], object]) -> None:
        """Answer a prompt, once, and wait until a condition holds: a prompt loses no key."""
        os.write(self._master, f"{line}\r".encode())
        self.press("", reached)

    def close(self) -> None:
        """Close the window, or lose the line to it: the kernel sends SIGHUP to whoever is in its foreground."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _look(self) -> None:
        try:
            while seen := os.read(self._master, 65536):
                self._drawn += seen
        except OSError:  # nothing more for now, or nobody is left on the other side
            pass


AtTerminal = Callable[..., Terminal]


@pytest.fixture
def at_terminal(no_process_left: None) -> Iterator[AtTerminal]:
    """Run `gonogo …` for a project at a terminal, which is closed after the test."""
    opened: list[Terminal] = []

    def run(small: SmallProject, *arguments: str, deaf: bool = False) -> Terminal:
        opened.append(Terminal(small, *arguments, deaf=deaf))
        return opened[-1]

    yield run
    for terminal in opened:
        terminal.close()
        terminal.process.kill()
        terminal.process.wait()
