"""Files that a session keeps."""

import os
from pathlib import Path

from migrations.problem import Unavailable


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 and make it durable. An existing one is left as it is if the bytes are the same.

    Raises Unavailable, and leaves nothing half written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        if path.exists() and path.read_bytes() == data:
            return
        _write(partial, data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written: {error.strerror}.", advice="Make room there.") from None


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
