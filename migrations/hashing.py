"""The hash of a file."""

import hashlib
from pathlib import Path


def fingerprint_file(path: Path) -> tuple[str, int]:
    """SHA-256 (lower-case hex) and size in bytes of a file, large ones too: call it in a thread. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
