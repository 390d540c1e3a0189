"""Files that a session keeps."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from migrations.problem import Unavailable


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 and make it durable. An existing one is left as it is if the bytes are the same.

    Raises Unavailable, and leaves nothing half written.
    """
    try:
        if path.exists() and path.read_bytes() == data:
            return
    except OSError as error:
        raise _cannot(path, error) from None
    write_pieces(path, [data])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same, piece by piece, in place of whatever was there.

    Raises Unavailable, and whatever making the pieces raises; leaves nothing half written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        _write(partial, pieces)
        partial.replace(path)
    except OSError as error:
        raise _cannot(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _cannot(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be written: {error.strerror}.", advice="Make room there.")


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
