"""Runs `gonogo …` in forks of one process that has imported it: a start of Python for each would take a second of CPU.

Run as a program: it listens on the socket that it is given, until its standard input ends. A fork is a process of its
own in all but its birth; what hangs on that (`-P`, imports, the terminal) is tested by real starts. The runner that a
fork starts is a fork, too.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PIECES = ("tui.commands", "runbooks.steps")
RUNNER = "runbooks.running.runner"
PLACE = ""


def serve(listener: socket.socket) -> None:
    """Fork for each who connects."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select((listener, sys.stdin), (), ())
        if sys.stdin in ready:
            return
        link, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            code = 1
            try:
                code = become(json.loads(link.makefile().readline()), link)
            finally:
                with contextlib.suppress(OSError):  # who started a runner need not be there at its end
                    link.sendall(f"{code}\n".encode())
                os._exit(0)
        link.close()


def become(wanted: dict[str, object], link: socket.socket) -> int:
    """Be the command, to its end; its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(wanted["env"])  # type: ignore[arg-type]
    os.chdir(str(wanted["cwd"]))
    sys.argv = ["gonogo", *wanted["arguments"]]  # type: ignore[misc]
    for number, name in ((0, wanted["in"]), (1, wanted["out"]), (2, wanted["err"])):
        os.dup2(os.open(str(name), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), number)
    link.sendall(f"{os.getpid()}\n".encode())
    if wanted["module"] == RUNNER:
        os.setsid()
        may_die(os.environ)
    else:
        client = importlib.import_module("runbooks.faces.client")
        client.leave = functools.partial(leave, os.environ.copy(), client.leave)  # type: ignore[attr-defined]
    try:
        importlib.import_module(str(wanted["module"])).main()
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()


def may_die(environ: Mapping[str, str]) -> None:
    """Die at record `DIE_AT`, as if power were cut: in the middle of its line if `DIE_HOW` is `half`, else after it."""
    at, half, write = environ.get("DIE_AT"), environ.get("DIE_HOW") == "half", os.write

    def dying(file: int, data: bytes) -> int:
        line = bytes(data)
        if not line.endswith(f',"seq":{at}}}\n'.encode()):
            return write(file, data)
        write(file, line[: len(line) // 2] if half else line)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    if at:
        os.write = dying  # type: ignore[assignment]


class Left:
    """A runner in a fork, for whoever started it: as much of a Popen as is asked for."""

    def __init__(self, link: socket.socket) -> None:
        self._said = link.makefile()
        self._link = link
        self.returncode: int | None = None
        self.pid = int(self._said.readline())

    def poll(self) -> int | None:
        """Its exit code, once it has one."""
        if self.returncode is None and select.select((self._link,), (), (), 0)[0]:
            self.returncode = int(self._said.readline() or -signal.SIGKILL)
        return self.returncode

    def wait(self, timeout: float) -> int | None:
        """As long as it lives."""
        select.select((self._link,), (), (), timeout)
        return self.poll()

    def terminate(self, sign: int = signal.SIGTERM) -> None:
        """Ask it to end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, sign)

    def kill(self) -> None:
        """End it."""
        self.terminate(signal.SIGKILL)


def leave(
    known: Mapping[str, str], start: Any, argv: Sequence[str], *, env: Mapping[str, str], said: Path, stdin: bytes
) -> Any:
    """Start a runner as `migrations.process.leave` does, in a fork; other programs, and other Pythons, as it does."""
    python = {name: value for name, value in env.items() if name.startswith("PYTHON")}
    if argv[0] != sys.executable or any(known.get(name) != value for name, value in python.items()):
        return start(argv, env=env, said=said, stdin=stdin)
    with tempfile.NamedTemporaryFile(prefix="gonogo-") as read:
        read.write(stdin)
        read.flush()
        files = {"in": read.name, "out": str(said), "err": str(said)}
        wanted = {"module": RUNNER, "arguments": argv[4:], "cwd": str(Path.cwd()), "env": dict(env), **files}
        link = socket.socket(socket.AF_UNIX)
        link.connect(PLACE)
        link.sendall(json.dumps(wanted).encode() + b"\n")
        return Left(link)


if __name__ == "__main__":
    PLACE = sys.argv[1]
    importlib.import_module(RUNNER)
    for piece in PIECES:
        package = importlib.import_module(piece)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{piece}.{module.name}")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(PLACE)
        listening.listen(8)
        print("listening", flush=True)
        gc.freeze()
        gc.set_threshold(20_000)
        serve(listening)
