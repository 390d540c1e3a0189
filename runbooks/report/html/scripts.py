"""The scripts of a session. Their text lies in its folder; the journal has their hashes."""

import hashlib
import os
import re
from pathlib import Path
from typing import Literal

from migrations.problem import Problem
from runbooks.journal.files import open_to_read
from runbooks.redact import Redactor

State = Literal["kept", "absent", "altered"]

_SHA256 = re.compile("[0-9a-f]{64}", re.ASCII)


class KeptScripts:
    """Reads `scripts/<sha256>.sql` of a session folder. With `only`, the others count as absent."""

    def __init__(self, folder: Path, only: frozenset[str] | None = None) -> None:
        self._folder = folder
        self._only = only

    def read(self, sha256: str, copy_sha256: str = "") -> tuple[State, str]:
        """The text, without passwords in URLs; empty unless the file has the hash that the journal names."""
        path = self._folder / "scripts" / f"{sha256}.sql"
        wanted = self._only is None or sha256 in self._only
        if not wanted or not _SHA256.fullmatch(sha256) or not os.path.lexists(path):
            return "absent", ""
        try:
            with os.fdopen(open_to_read(path), "rb") as file:
                data = file.read()
        except Problem:
            return "altered", ""
        if hashlib.sha256(data).hexdigest() != (copy_sha256 or sha256):
            return "altered", ""
        return "kept", Redactor({}).text(data.decode("utf-8", "replace"))
