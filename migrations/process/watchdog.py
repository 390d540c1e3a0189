"""Holds one program for a process that may vanish at any moment. Run by path, never imported by ours.

The owner sits at the other end of a socket. One JSON line each: the owner says what to start, we answer `pid`; the
program waits at a gate until the owner says `go`, so that its start can be written down first; we end with `ended` or
`errno`. End of file means that the owner is gone or wants an end: the program's process group gets the signals that
the owner chose, one after the other.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SEATED = b"+"
CAUGHT = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Program:
    """The program, and how to wait for it without losing a signal or the owner's end of file."""

    def __init__(self, link: socket.socket, spec: dict[str, Any]) -> None:
        self.link = link
        self.code: int | None = None
        self.wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self.wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in CAUGHT:
            signal.signal(number, lambda *_: None)
        gate, self.gate = os.pipe()
        self.failure, failure = os.pipe()
        rope = second_rope(spec["signals"][0][0])
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.gate)
            become(spec, gate, failure, rope)
        os.close(gate)
        os.close(failure)
        word = os.read(self.failure, 16)
        self.errno = 0 if word == SEATED else int(word or b"0")

    def open_gate(self) -> None:
        """Let the program begin."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.gate, b"g")
        self.errno = self.errno or int(os.read(self.failure, 16) or b"0")

    def wait(self, seconds: float | None) -> bool:
        """Wait until something happens, or for some seconds with no eye on the owner. True: somebody wants an end."""
        watched = select.poll()
        watched.register(self.wake, select.POLLIN)
        if seconds is None:
            watched.register(self.link, select.POLLIN)
        ready = {number for number, _ in watched.poll(None if seconds is None else seconds * 1000)}
        signals = os.read(self.wake, 512) if self.wake in ready else b""
        return self.link.fileno() in ready or any(number != signal.SIGCHLD for number in signals)

    def reap(self) -> bool:
        """Whether the program has ended. Collects the remains of what it left behind, too."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self.pid:
                    self.code = os.waitstatus_to_exitcode(found[1])
        return self.code is not None

    def group_is_gone(self) -> bool:
        if not self.reap():
            return False
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        return False

    def stop(self, signals: Sequence[tuple[int, float]]) -> None:
        """Send each signal to the whole group, and wait the seconds beside it for the group to end."""
        for number, patience in signals:
            until = time.monotonic() + patience
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
            while not self.group_is_gone():
                left = until - time.monotonic()
                if left <= 0:
                    break
                self.wait(min(left, 0.02))
            else:
                return


def become(spec: dict[str, Any], gate: int, failure: int, rope: Callable[[], object]) -> NoReturn:
    """In the child: become the program once the gate opens."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (*CAUGHT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(spec["cwd"])
        if spec["user"] is not None:
            os.setgroups([])
            os.setgid(spec["user"])
            os.setuid(spec["user"])
        rope()
        os.write(failure, SEATED)
        if os.read(gate, 1):
            os.execve(spec["file"], spec["argv"], spec["env"])
        os._exit(127)
    except OSError as error:
        os.write(failure, str(error.errno).encode())
    finally:
        os._exit(127)


def second_rope(number: int) -> Callable[[], object]:
    """What the child calls to be sent a signal when we die, where Linux is: we may be killed together with the owner.

    Made before the child drops its rights, after which it may not be able to import anything. On the way we become
    the parent of what the program leaves behind, so that remains of a stopped group never look like a live one.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            prctl = ctypes.CDLL(None).prctl
            prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            return lambda: prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    return lambda: None


def receive(link: socket.socket) -> dict[str, Any] | None:
    """The owner's next line, or None if the owner is gone."""
    line = b""
    while not line.endswith(b"\n"):
        data = link.recv(65536)
        if not data:
            return None
        line += data
    message: dict[str, Any] = json.loads(line)
    return message


def send(link: socket.socket, **message: object) -> None:
    with contextlib.suppress(OSError):
        link.sendall(json.dumps(message).encode() + b"\n")


def hold(link: socket.socket, spec: dict[str, Any]) -> None:
    try:
        program = Program(link, spec)
        send(link, pid=program.pid)
        if receive(link) is None:
            program.stop([(signal.SIGKILL, 2.0)])
        else:
            program.open_gate()
        while not program.reap() and not program.wait(None):
            pass
        if program.code is None or program.code < 0:  # a signal ended it: what it had started must not go on alone
            program.stop(spec["signals"])
    finally:
        remove(spec["remove"])
    if program.errno:
        send(link, errno=program.errno)
    else:
        send(link, ended=program.code if program.reap() else -signal.SIGKILL)


def remove(folders: Sequence[str]) -> None:
    if folders:
        import shutil  # slow to import, and rarely needed

        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    link = socket.socket(fileno=int(sys.argv[1]))
    link.set_inheritable(False)
    os.chdir("/")
    spec = receive(link)
    if spec is not None:
        hold(link, spec)


if __name__ == "__main__":
    main()
