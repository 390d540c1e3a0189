"""The archive of a pack: written to the end or not at all, with nothing in it of the moment that it was made."""

import contextlib
import hashlib
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from migrations.problem import Misuse, Unavailable
from runbooks.pack.contents import Listed

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = (stat.S_IFREG | 0o600) << 16
_PIECE = 1 << 20


class Archive:
    """Takes one file after the other; `listed` are those that it has. `large`: some may be larger than 2 GiB."""

    def __init__(self, target: zipfile.ZipFile, top: str, large: bool) -> None:
        self._zip = target
        self._top = top
        self._large = large
        self.listed: list[Listed] = []

    def add(self, name: str, pieces: Iterable[bytes]) -> Listed:
        """A file, piece by piece. Raises OSError."""
        info = zipfile.ZipInfo(f"{self._top}/{name}", _EPOCH)
        info.create_system, info.external_attr, info.compress_type = 3, _MODE, zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=self._large) as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        self.listed.append(Listed(name=name, size=size, sha256=digest.hexdigest()))
        return self.listed[-1]


def pieces_of(file: int, size: int) -> Iterator[bytes]:
    """The first bytes of an open file, from where it stands. Closes it."""
    with os.fdopen(file, "rb") as source:
        while size and (piece := source.read(min(size, _PIECE))):
            size -= len(piece)
            yield piece


def write_archive(path: Path, fill: Callable[[zipfile.ZipFile], None], *, overwrite: bool) -> None:
    """Write a file of mode 0600 that `fill` fills. Raises Misuse: it is there already; Unavailable; and as `fill`."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        if not overwrite and os.path.lexists(path):
            raise Misuse(f"{path} is there already.", advice="Name another with -o, or give --overwrite.")
        _write(partial, fill)
        partial.replace(path)
        _sync(path.parent)
    except OSError as error:
        advice = "Make room there, or name another place with -o."
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}.", advice=advice) from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _write(partial: Path, fill: Callable[[zipfile.ZipFile], None]) -> None:
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        os.fchmod(descriptor, 0o600)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
            fill(target)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    holder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(holder)
    finally:
        os.close(holder)
