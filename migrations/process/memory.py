"""A file for secrets that leaves no trace on a disk."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def memory_file(content: str | bytes) -> Iterator[tuple[int, str]]:
    """A file that only we and the programs that we pass its number (`pass_fds`) can read: its number, and its path.

    The path holds in the child. In memory where there is /proc/self/fd, else a temporary file of mode 0600.
    """
    data = content.encode() if isinstance(content, str) else content
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        fd = os.memfd_create("secret")
        try:
            os.fchmod(fd, 0o600)
            os.write(fd, data)
            yield fd, f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)
    else:
        with tempfile.NamedTemporaryFile("wb", buffering=0) as file:
            file.write(data)
            yield file.fileno(), file.name
