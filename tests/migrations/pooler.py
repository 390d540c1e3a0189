"""A small pooler, quiet as PgBouncer is: session or transaction mode, its own key data, no startup options."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator
from tempfile import TemporaryDirectory
from urllib.parse import quote, unquote

from psycopg import pq

from migrations.target import Url

LAST = "/.s.PGSQL.5432"
NO_TLS = (80877103, 80877104)
REPORTED = ("server_version", "client_encoding", "standard_conforming_strings", "DateStyle", "integer_datetimes")


class Backend:
    """A connection to the server, logged in by libpq and then spoken to directly."""

    def __init__(self, conninfo: bytes) -> None:
        self._pgconn = pq.PGconn.connect(conninfo)
        assert self._pgconn.status == pq.ConnStatus.OK, "the pooler could not log in"
        self.parameters = {name: self._pgconn.parameter_status(name.encode()) or b"" for name in REPORTED}

    async def open(self) -> "Backend":
        sock = socket.socket(fileno=os.dup(self._pgconn.socket))
        sock.setblocking(False)
        self.reader, self.writer = await asyncio.open_connection(sock=sock)
        return self

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
        self._pgconn.finish()


class Pooler:
    """`transaction`: a backend goes back to the pool whenever it is idle, and the next client takes the oldest.

    `ignore`: startup options are dropped without a word (PgBouncer's ignore_startup_parameters), else refused.
    """

    def __init__(self, conninfo: bytes, *, transaction: bool, ignore: bool) -> None:
        self._conninfo, self._transaction, self._ignore = conninfo, transaction, ignore
        self._idle: list[Backend] = []
        self._all: list[Backend] = []
        self._clients: set[asyncio.Task[None]] = set()
        self._pid = 900_000

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(asyncio.ensure_future(self._client(reader, writer)))

    async def close(self) -> None:
        await asyncio.gather(*self._clients)
        for backend in self._all:
            await backend.close()

    async def _take(self) -> Backend:
        if not self._idle:
            self._all.append(await Backend(self._conninfo).open())
            return self._all[-1]
        return self._idle.pop(0)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend: Backend | None = None
        try:
            if b"options\0" in await _startup(reader, writer) and not self._ignore:
                error = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
                writer.write(b"E" + struct.pack("!i", len(error) + 4) + error)
                return
            backend = await self._take()
            self._pid += 1
            writer.write(_greeting(self._pid, backend.parameters))
            if self._transaction:
                self._idle.append(backend)
                backend = None
            while (message := await _message(reader)) and message[:1] != b"X":
                backend = backend or await self._take()
                backend.writer.write(message)
                if message[:1] in b"QS" and await self._answer(backend, writer) == b"I" and self._transaction:
                    self._idle.append(backend)
                    backend = None
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            if backend is not None:
                self._idle.append(backend)
            writer.close()

    async def _answer(self, backend: Backend, writer: asyncio.StreamWriter) -> bytes:
        while message := await _message(backend.reader):
            writer.write(message)
            if message[:1] == b"Z":
                return message[5:]
        raise ConnectionError


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        body = await reader.readexactly(length - 4)
        if struct.unpack("!i", body[:4])[0] not in NO_TLS:
            return body
        writer.write(b"N")


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


def _greeting(pid: int, parameters: dict[str, bytes]) -> bytes:
    said = b"R" + struct.pack("!ii", 8, 0)
    for name, value in parameters.items():
        body = name.encode() + b"\0" + value + b"\0"
        said += b"S" + struct.pack("!i", len(body) + 4) + body
    return said + b"K" + struct.pack("!iii", 12, pid, 1) + b"Z" + struct.pack("!i", 5) + b"I"


@contextlib.asynccontextmanager
async def pooled(url: str, *, transaction: bool, ignore: bool = False) -> AsyncIterator[str]:
    """The URL of a pooler in front of `url`, whose server listens on a socket."""
    conninfo = Url.parse(url, variable="URL").conninfo()
    words = " ".join(f"{key}='{value}'" for key, value in conninfo.items()).encode()
    folder = unquote(url.partition("host=")[2].partition("&")[0])
    pooler = Pooler(words, transaction=transaction, ignore=ignore)
    with TemporaryDirectory(prefix="gonogo-pooler-") as own:
        server = await asyncio.start_unix_server(pooler.connected, f"{own}{LAST}")
        try:
            yield url.replace(quote(folder, safe=""), quote(own, safe=""))
        finally:
            server.close()
            await pooler.close()
