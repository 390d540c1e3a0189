"""Adds to a file of the project, and never takes anything away from it."""

import contextlib
import fcntl
import os
from pathlib import Path

from migrations.problem import Misuse, Unavailable

MODE = 0o644
"""Of a new file: it is part of the project, and no secret of ours."""


def place_in(folder: Path, name: str) -> Path:
    """A file of the project by its name there. Raises Misuse for one that is elsewhere."""
    path = folder / name
    if not name.strip() or Path(name).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise Misuse(f"{name} is not in the project's folder.", advice="Name a file from the folder of gonogo.toml on.")
    return path


def append(path: Path, text: str) -> None:
    """Add a text to the end of a file, all of it or nothing; where there is none yet, it is made, and its folders.

    Raises Unavailable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        try:
            _append(file, text)
        finally:
            os.close(file)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be added to: {error.strerror}.", advice="Nothing of it was changed."
        ) from None


def _append(file: int, text: str) -> None:
    fcntl.flock(file, fcntl.LOCK_EX)
    size = os.fstat(file).st_size
    if size == 0:
        os.fchmod(file, MODE)
    before = os.pread(file, 2, max(0, size - 2))
    gap = "" if size == 0 or before == b"\n\n" else "\n" if before.endswith(b"\n") else "\n\n"
    data = f"{gap}{text}".encode("utf-8", "replace")
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise


def holds(path: Path, text: str) -> bool:
    """Whether a file has this in it."""
    try:
        return text in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
