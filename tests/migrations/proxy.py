"""A proxy in front of a server's socket, which cuts the line when a message passes, or holds the message back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, unquote

LAST = "/.s.PGSQL.5432"


class Proxy:
    """Passes everything on until a client's message holds `word` for the `nth` time.

    That message is held back until `release` is set, if `hold`; else the line is cut, before or after passing it on.
    """

    def __init__(self, socket: str, word: bytes, *, pass_on: bool, hold: bool = False, nth: int = 1) -> None:
        self._socket, self._word, self._pass_on, self._hold, self._left = socket, word, pass_on, hold, nth
        self.seen, self.release = asyncio.Event(), asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)

    async def close(self) -> None:
        """Wait until every connection is over."""
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._socket)
        back = asyncio.ensure_future(self._pump(server_reader, writer))
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while data := await reader.read(65536):
                self._left -= self._word in data
                first = self._left <= 0 and not self.seen.is_set()
                if first:
                    self.seen.set()
                if first and self._hold:
                    await self.release.wait()
                elif first:
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    if self._pass_on:
                        server_writer.write(data)
                        await server_writer.drain()
                        # The server's reply is read, so that it has done its work, and never passed on.
                        await server_reader.read(65536)
                    break
                server_writer.write(data)
                await server_writer.drain()
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        for one in (writer, server_writer):
            one.close()
            with contextlib.suppress(ConnectionError):
                await one.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


def cutting(url: str, word: bytes, *, pass_on: bool, nth: int = 1) -> AbstractAsyncContextManager[tuple[str, Proxy]]:
    """The URL of a proxy in front of `url`, whose server listens on a socket. It cuts the line."""
    return _proxy(url, word, pass_on=pass_on, hold=False, nth=nth)


def holding(url: str, word: bytes) -> AbstractAsyncContextManager[tuple[str, Proxy]]:
    """The same, but it holds the message back until `release` is set."""
    return _proxy(url, word, pass_on=True, hold=True)


@contextlib.asynccontextmanager
async def _proxy(url: str, word: bytes, *, pass_on: bool, hold: bool, nth: int = 1) -> AsyncIterator[tuple[str, Proxy]]:
    folder = unquote(url.partition("host=")[2].partition("&")[0])
    proxy = Proxy(f"{folder}{LAST}", word, pass_on=pass_on, hold=hold, nth=nth)
    with TemporaryDirectory(prefix="gonogo-proxy-") as own:
        server = await asyncio.start_unix_server(proxy.serve, f"{own}{LAST}")
        Path(f"{own}{LAST}").chmod(0o600)
        try:
            yield url.replace(quote(folder, safe=""), quote(own, safe="")), proxy
        finally:
            server.close()
            await proxy.close()
