"""Files that a session keeps."""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from migrations.problem import Unavailable

_SHARED = stat.S_ISGID | stat.S_IRGRP


def mode_in(folder: Path | int) -> int:
    """The mode of a new file: 0600, and 0640 in a session folder that a group shares. Raises OSError."""
    mode = os.stat(folder).st_mode  # noqa: PTH116, a descriptor has no Path
    return 0o640 if mode & _SHARED == _SHARED else 0o600


def make_folder(path: Path) -> None:
    """Make a folder in a session folder, for its owner alone, or for the group that shares it. Raises OSError."""
    path.mkdir(mode=0o700, exist_ok=True)
    if mode_in(path.parent) == 0o640:
        path.chmod(stat.S_ISGID | 0o750)


def write_private(path: Path, data: bytes) -> None:
    """Write a file of `mode_in` its folder, and make it durable. An existing one is left if the bytes are the same.

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
    return Unavailable(
        f"{path} cannot be written: {error.strerror}.",
        advice="It takes a folder that is there, with room, and yours to write.",
    )


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode_in(path.parent))
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
