"""A disk that is really full, or only to be read, where the machine lets us make one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def full_disk(place: Path, size: str) -> Iterator[Path]:
    """A tiny file system in a new folder."""
    if os.geteuid() != 0:
        pytest.skip("a full disk needs mount(8) and root")
    with _mounted(place, f"size={size}"):
        yield place


@contextmanager
def read_only(place: Path) -> Iterator[str]:
    """A new folder that nobody can write to, and what the system says of that."""
    if os.geteuid() == 0:
        with _mounted(place, "ro"):
            yield "Read-only file system"
    else:
        place.mkdir(mode=0o500)
        yield "Permission denied"


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[None]:
    place.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("this machine has no mount(8)")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False).returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
