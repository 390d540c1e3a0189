"""A real browser, spoken to over two pipes: no port is opened, and nothing but Chromium is needed."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

SECONDS = 60.0


class Browser:
    """One page. What it says meanwhile is kept in `heard`: its console, its requests, what it loaded."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._read = b""
        self._sent = 0
        self._page: str | None = None
        self.heard: list[dict[str, Any]] = []
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._page = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **params: object) -> dict[str, Any]:
        """One command, and its answer."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": params}
        os.write(self._to, json.dumps(message | ({"sessionId": self._page} if self._page else {})).encode() + b"\0")
        while (answer := self._next()).get("id") != self._sent:
            self.heard.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        self.do("Page.navigate", url=url)
        while not any(one.get("method") == "Page.loadEventFired" for one in self.heard):
            self.heard.append(self._next())

    def ask(self, script: str) -> Any:
        """The value of an expression."""
        answer = self.do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """One key."""
        codes = {"Tab": 9, "Enter": 13}
        text = {"text": "\r"} if key == "Enter" else {}
        pressed = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.do("Input.dispatchKeyEvent", type="keyDown", **pressed, **text)
        self.do("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def media(self, kind: str = "", scheme: str = "light") -> None:
        """As it would be printed, or in another colour scheme."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.do("Emulation.setEmulatedMedia", media=kind, features=features)
        drawn = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
        self.do("Runtime.evaluate", expression=drawn, awaitPromise=True)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            assert select([self._back], [], [], SECONDS)[0], "the browser says nothing"
            piece = os.read(self._back, 1 << 20)
            assert piece, "the browser has gone"
            self._read += piece
        message, _, self._read = self._read.partition(b"\0")
        said: dict[str, Any] = json.loads(message)
        return said


@contextmanager
def browser(program: str, folder: Path) -> Iterator[Browser]:
    """Chromium with a profile in `folder`, until the end of the block."""
    ours, theirs = os.pipe(), os.pipe()
    command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
    command += [f"--user-data-dir={folder}", "--no-first-run", "--disable-dev-shm-usage"]
    reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (ours[0], theirs[1]))
    shell = f'exec "$@" 3<&{reads} 4>&{writes}'
    with (folder.parent / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/bash", "-c", shell, "-", *command],
            pass_fds=(reads, writes),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        for end in (ours[0], theirs[1], reads, writes):
            os.close(end)
        try:
            yield Browser(ours[1], theirs[0])
        finally:
            os.close(ours[1])
            os.close(theirs[0])
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
