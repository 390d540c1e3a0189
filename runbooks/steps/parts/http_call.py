"""One HTTP request, bounded in time, with nothing followed and nothing remembered."""

import asyncio
import base64
import contextlib
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import JsonValue

LARGEST = 2**20
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`cut`: the answer was larger than what is looked at. `headers` by their names in small letters."""

    status: int
    reason: str
    text: str = field(repr=False)
    cut: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class NoAnswer(Exception):
    """No answer came, in our own words. `sent`: the server may have acted on the request all the same."""

    def __init__(self, words: str, *, sent: bool) -> None:
        super().__init__(words)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Request:
    """`timeout` is in seconds, for the whole of it."""

    method: str
    url: str = field(repr=False)
    timeout: float
    body: bytes | None = field(default=None, repr=False)
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def check_url(url: str) -> SplitResult:
    """The parts of an http or https URL. Raises ValueError in words that do not repeat it."""
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        raise ValueError("the URL holds a space or a control code")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("the URL cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("the URL must begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("the URL names no host")
    if not url.isascii():
        raise ValueError("the URL must be ASCII: write other characters as %-codes, and names as xn--")
    return parts


def shown(url: str) -> str:
    """The URL without password, and without what stands in its query. Raises ValueError, as `check_url` does."""
    parts = check_url(url)
    user = f"{parts.username}@" if parts.username else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{host}{port}{parts.path or '/'}{'?…' if parts.query else ''}"


async def call(request: Request) -> Answer:
    """Send it once; a redirect is an answer like any other. Raises NoAnswer, ValueError for a wrong URL."""
    exchange = _Exchange(request, check_url(request.url))
    try:
        async with asyncio.timeout(request.timeout):
            return await asyncio.to_thread(exchange.run)
    except TimeoutError:
        words = f"no answer within {request.timeout:g} s"
        raise NoAnswer(words, sent=exchange.sent) from None
    finally:
        exchange.abandon()


class _Exchange:
    """Runs in a thread, which ends at once when it is abandoned."""

    def __init__(self, request: Request, parts: SplitResult) -> None:
        self.sent = False
        self._abandoned = False
        self._request = request
        self._parts = parts
        host, port = parts.hostname or "", parts.port
        patience = request.timeout + 1  # a single wait; the whole of it is bounded by whoever runs this
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=patience)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=patience)
        )

    def run(self) -> Answer:
        try:
            self._connection.connect()
            if self._abandoned:
                raise TimeoutError
            self.sent = True
            target = f"{self._parts.path or '/'}{'?' + self._parts.query if self._parts.query else ''}"
            self._connection.request(self._request.method, target, self._request.body, self._headers())
            response = self._connection.getresponse()
            data = response.read(LARGEST + 1)
            text = data[:LARGEST].decode("utf-8", "replace")
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, response.reason, text, len(data) > LARGEST, headers)
        except (OSError, http.client.HTTPException) as error:
            problem = NoAnswer(_words(error), sent=self.sent)
        finally:
            self._connection.close()
        # Outside the handler, so that no library's text, which may hold pieces of the URL, is chained to it.
        raise problem

    def abandon(self) -> None:
        """Whatever it waits for, it waits no longer, and sends nothing more."""
        self._abandoned = True
        sock: socket.socket | None = getattr(self._connection, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": "gonogo", "Accept": "*/*", "Connection": "close"}
        if self._request.content_type:
            headers["Content-Type"] = self._request.content_type
        if self._parts.username is not None:
            login = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        return headers | dict(self._request.headers)


def _words(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"the server's certificate is not accepted ({error.verify_message})"
        case ssl.SSLError():
            return "no TLS with the server"
        case socket.gaierror():
            return "the host's name is not known here"
        case ConnectionRefusedError():
            return "nothing listens there"
        case TimeoutError():
            return "no answer in time"
        case http.client.RemoteDisconnected() | ConnectionResetError() | BrokenPipeError():
            return "the server closed the connection without an answer"
        case http.client.HTTPException():
            return "what came back is no HTTP answer"
        case _:
            return (error.strerror if isinstance(error, OSError) else None) or "the connection failed"


def contains(answer: JsonValue, wanted: JsonValue) -> str | None:
    """Where `answer` does not contain `wanted`, in words; None if it does. Lists must be equally long."""
    return _differs(answer, wanted, "the answer")


def _differs(answer: JsonValue, wanted: JsonValue, where: str) -> str | None:
    if isinstance(wanted, Mapping):
        if not isinstance(answer, Mapping):
            return f"{where} is no object"
        for key, value in wanted.items():
            if key not in answer:
                return f"{where} has no {key}"
            if words := _differs(answer[key], value, key if where == "the answer" else f"{where}.{key}"):
                return words
        return None
    if isinstance(wanted, list):
        if not isinstance(answer, list) or len(answer) != len(wanted):
            return f"{where} is no list of {len(wanted)}"
        return next((w for n, v in enumerate(wanted) if (w := _differs(answer[n], v, f"{where}[{n}]"))), None)
    same = answer == wanted and isinstance(answer, bool) == isinstance(wanted, bool)
    return None if same else f"{where} is not {wanted!r}"
