"""Runs `gonogo …` in forks of one process that has imported it: a start of Python for each would take a second of CPU.

Run as a program: it listens on the socket that it is given, until its standard input ends. A fork is a process of its
own in all but its birth; what hangs on that (`-P`, imports, the terminal) is tested by real starts.
"""

import atexit
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import threading

PIECES = ("tui.commands", "runbooks.steps")


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
                link.sendall(f"{code}\n".encode())
                os._exit(0)
        link.close()


def become(wanted: dict[str, object], link: socket.socket) -> int:
    """Be the command, to its end; its exit code."""
    link.sendall(f"{os.getpid()}\n".encode())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(wanted["env"])  # type: ignore[arg-type]
    os.chdir(str(wanted["cwd"]))
    sys.argv = ["gonogo", *wanted["arguments"]]  # type: ignore[misc]
    for number, name in ((0, wanted["in"]), (1, wanted["out"]), (2, wanted["err"])):
        os.dup2(os.open(str(name), os.O_RDWR | os.O_CREAT, 0o600), number)
    try:
        importlib.import_module("tui.__main__").main()
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    for piece in PIECES:
        package = importlib.import_module(piece)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{piece}.{module.name}")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen(8)
        print("listening", flush=True)
        serve(listening)
