"""What was replayed before, in files that are ours alone, so that a second look is quick.

A file is named by the hash of what it hangs on. What cannot be read for any reason counts as not there.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

MOST = 40
"""Files that are kept; the oldest go first."""
LARGEST = 256_000_000


def key_of(*parts: object) -> str:
    """A name for what these parts lead to."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=sorted).encode()).hexdigest()


class Kept:
    """A folder of replays. None, or a folder that others can write to, keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What was kept under this name."""
        if self._folder is None:
            return None
        path = self._folder / f"{key}.json"
        try:
            with FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_size > LARGEST:
                    return None
                head, _, body = file.readall().partition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != head:
                return None
            found = json.loads(body)
            os.utime(path)
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, key: str, data: Mapping[str, Any]) -> None:
        """Keep it; in vain where that cannot be."""
        if self._folder is None:
            return
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        fresh = self._folder / f".{key}.{os.getpid()}"
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            about = self._folder.lstat()
            if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o077:
                return
            fresh.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with FileIO(os.open(fresh, flags, 0o600), "wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            fresh.rename(self._folder / f"{key}.json")
            for old in sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-MOST]:
                old.unlink()
