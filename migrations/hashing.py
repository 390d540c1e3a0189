"""The hash of a file, and of a folder by the list of its files."""

import hashlib
from pathlib import Path


def fingerprint_file(path: Path) -> tuple[str, int]:
    """SHA-256 (lower-case hex) and size in bytes of a file, large ones too: call it in a thread. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def file_list(folder: Path) -> tuple[str, int]:
    """The files of a folder, each with its SHA-256, as `sha256sum` prints and checks them; and their size in bytes."""
    found = [(path.name, *fingerprint_file(path)) for path in sorted(folder.iterdir())]
    return "".join(f"{sha256}  {name}\n" for name, sha256, _ in found), sum(size for *_, size in found)


def fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file; of a folder, that of the list of its files. Raises OSError."""
    if not path.is_dir():
        return fingerprint_file(path)
    listed, size = file_list(path)
    return hashlib.sha256(listed.encode()).hexdigest(), size
