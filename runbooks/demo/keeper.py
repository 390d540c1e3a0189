"""Keeps the shop's app running, switches its version without losing a request, and polls it all the while.

Run by the demo's world as `python -P -m runbooks.demo.keeper FOLDER PORT`. Both versions serve one listening socket:
the new one is up before the old one stops taking requests and finishes what it began.
"""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from migrations.listed import many

POLL_SECONDS = 0.2
READY_SECONDS = 15.0
GOING_SECONDS = 3.0
"""When the runner dies, the server may go a moment before the keeper does: what fails then was nobody's request."""


class Keeper:
    """The listening socket, the app behind it, and the count of requests."""

    def __init__(self, folder: Path, port: int) -> None:
        self._state = folder / "app.json"
        kept = json.loads(self._state.read_text()) if self._state.exists() else {}
        self.version = int(kept.get("version", 1))
        self.polled = int(kept.get("polled", 0))
        self.failed = int(kept.get("failed", 0))
        self._failed_at = 0.0
        self._failed_together = 0
        self._port = port
        self._app: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind(("127.0.0.1", port))
        self._listening.listen(128)

    def deploy(self, version: int) -> str:
        """Switch to a version; the old one goes once the new one answers."""
        fresh = self._start(version)
        if not self._answers(version):
            fresh.terminate()
            fresh.wait()
            return f"failed: version {version} did not come up; version {self.version} goes on"
        old, self._app, self.version = self._app, fresh, version
        if old is not None:
            old.terminate()
            old.wait()
        self._keep()
        return f"version {version} serves"

    def pause(self) -> str:
        """Stop the app: nobody writes."""
        app, self._app = self._app, None
        if app is not None:
            app.terminate()
            app.wait()
        return "paused: the app is stopped, nothing writes"

    def release(self, version: int) -> str:
        """Switch to a version; while nothing is let in, it is the one that serves afterwards."""
        if self._app is not None:
            return self.deploy(version)
        self.version = version
        self._keep()
        return f"version {version} serves once traffic is let in again"

    def polls(self) -> str:
        """How the requests went, from the beginning."""
        verdict = "failed" if self.failed else "ok"
        return f"{verdict}: {many(self.polled, 'request')}, {self.failed} without a good answer"

    def poll(self) -> None:
        """A request every fifth of a second, until the end. A paused app is not asked."""
        while not self._over.wait(POLL_SECONDS):
            if self._app is None:
                continue
            write = self.polled % 10 == 9
            good = self._request("POST", "/orders", 201) if write else self._request("GET", "/customers/1", 200)
            if self._app is not None:
                self.polled += 1
                self._note(good)

    def _note(self, good: bool) -> None:
        if good:
            self._failed_together = 0
            return
        self.failed += 1
        self._failed_together += 1
        self._failed_at = time.monotonic()

    def stop(self) -> None:
        """End the app and the polling. Requests that failed last of all, just now, do not count."""
        self._over.set()
        self.pause()
        if time.monotonic() - self._failed_at < GOING_SECONDS:
            self.failed -= self._failed_together
        self._keep()

    def _start(self, version: int) -> "subprocess.Popen[bytes]":
        descriptor = self._listening.fileno()
        argv = [sys.executable, "-P", "-m", "runbooks.demo.app", str(version), str(descriptor)]
        return subprocess.Popen(argv, pass_fds=(descriptor,))

    def _answers(self, version: int) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            found = self._get_health()
            if found == version:
                return True
            time.sleep(0.05)
        return False

    def _get_health(self) -> int | None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return int(json.loads(answer.read())["version"]) if answer.status == 200 else None
        return None

    def _request(self, method: str, path: str, status: int) -> bool:
        body = json.dumps({"customer": 1, "product": 1}) if method == "POST" else None
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            connection.request(method, path, body)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        return answer.status == status

    def _keep(self) -> None:
        state = {"version": self.version, "polled": self.polled, "failed": self.failed}
        self._state.write_text(json.dumps(state))


def obey(keeper: Keeper, words: list[str]) -> str:
    """One command of the control socket."""
    match words:
        case ["deploy" | "resume", version] if version.isdigit():
            return keeper.deploy(int(version))
        case ["release", version] if version.isdigit():
            return keeper.release(int(version))
        case ["resume"]:
            return keeper.deploy(keeper.version)
        case ["pause"]:
            return keeper.pause()
        case ["polls"]:
            return keeper.polls()
    return f"failed: {' '.join(words)} is no command"


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    keeper = Keeper(folder, port)
    control = socket.socket(socket.AF_UNIX)
    control.bind(sys.argv[3])
    control.listen(8)

    def leave(*_: object) -> None:
        keeper.stop()
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    keeper.deploy(keeper.version)
    threading.Thread(target=keeper.poll, daemon=True).start()
    (folder / "ready").touch()
    while True:
        connection, _ = control.accept()
        with connection:
            words = connection.recv(200).decode().split()
            connection.sendall(obey(keeper, words).encode())


if __name__ == "__main__":
    main()
