"""A migrations folder on disk, read once: those bytes are hashed, shown and executed."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from migrations.naming import order_key
from migrations.problem import Misuse

SCRIPT = "migration.sql"
VERIFY = "verify.sql"
"""What must be true once the migration is applied; Prisma passes it over."""
ROLLBACK = "rollback.sql"
"""The script that undoes the migration; Prisma passes it over."""
ROLLBACK_TEXT = "rollback.md"
"""How the migration is undone, in words; Prisma passes it over."""
BESIDE = (VERIFY, ROLLBACK, ROLLBACK_TEXT)
LOCK_FILE = "migration_lock.toml"
PROVIDER = "postgresql"

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Migration:
    """One folder with its script, and the bytes of what stands beside it; None for a file that is not there."""

    name: str
    path: Path
    data: bytes | None
    verify: bytes | None = None
    rollback: bytes | None = None
    rollback_text: bytes | None = None

    @cached_property
    def text(self) -> str:
        """The script as Prisma reads it: a BOM and line ends are kept, bytes that are not UTF-8 become U+FFFD."""
        return (self.data or b"").decode("utf-8", errors="replace")

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of `text` in lower-case hexadecimal, as the ledger holds it."""
        return _sha256(self.text)

    @cached_property
    def problem(self) -> str | None:
        """Why this file cannot be run as it is, in words; None if nothing is wrong with its bytes."""
        return f"no {SCRIPT}" if self.data is None else problem_of(self.data)

    @cached_property
    def verify_sha256(self) -> str:
        """SHA-256 of the bytes of `verify.sql`, in lower-case hexadecimal; empty where there is none."""
        return _sha256_of(self.verify)

    @cached_property
    def rollback_text_sha256(self) -> str:
        """The same of `rollback.md`."""
        return _sha256_of(self.rollback_text)

    @cached_property
    def reverse(self) -> "Migration | None":
        """Its `rollback.sql`, as a script like any other; None where there is none."""
        if self.rollback is None:
            return None
        return Migration(f"{self.name}/{ROLLBACK}", self.path, self.rollback)

    @cached_property
    def beside(self) -> tuple[str, str, str]:
        """The SHA-256 of each file of BESIDE; empty where there is none."""
        return self.verify_sha256, self.reverse.checksum if self.reverse else "", self.rollback_text_sha256


def _sha256_of(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def problem_of(data: bytes) -> str | None:
    """What of these bytes PostgreSQL could not read, in words."""
    if data.startswith(_UTF16):
        return "not UTF-8: it is UTF-16, as a PowerShell redirect writes it"
    if data.startswith(_BOM):
        return "a byte order mark (BOM) at its start, which PostgreSQL takes for a syntax error"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8: byte {error.start} (line {_line(data, error.start)})"
    nul = data.find(0)
    return None if nul < 0 else f"a NUL byte (line {_line(data, nul)})"


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def same_checksum(recorded: str, text: str) -> bool:
    """Whether a recorded checksum is this text's: as it is, with LF for CRLF, or with CRLF for LF."""
    forms = (text, text.replace("\r\n", "\n"), text.replace("\n", "\r\n"))
    return any(recorded == _sha256(form) for form in forms)


def read_folder(path: Path) -> tuple[Migration, ...]:
    """Every migration of a folder, in Prisma's order. Links and files beside the folders are ignored.

    Raises Misuse if the folder is missing, cannot be read, or belongs to another database product (P3019).
    """
    if (provider := other_provider(path)) is not None:
        raise Misuse(
            f"{LOCK_FILE} says that these migrations are for {provider or 'no database'}, not {PROVIDER}.",
            advice="Point project.migrations at a folder of PostgreSQL migrations.",
            code="P3019",
        )
    try:
        folders = [entry for entry in path.iterdir() if entry.is_dir() and not entry.is_symlink()]
        found = [read_migration(entry, _name(entry)) for entry in folders]
    except FileNotFoundError:
        raise Misuse(
            f"There is no migrations folder {path}.", advice="Name the right one as project.migrations in gonogo.toml."
        ) from None
    except NotADirectoryError:
        raise Misuse(f"{path} is not a folder.", advice="project.migrations must name the migrations folder.") from None
    except OSError as error:
        raise Misuse(
            f"{error.filename or path} cannot be read: {error.strerror}.", advice="Give your user the right to read it."
        ) from error
    return tuple(sorted(found, key=lambda migration: order_key(migration.name)))


def with_reverse(migrations: Iterable[Migration]) -> Iterator[Migration]:
    """Each script, and behind it the one that undoes it."""
    return (script for one in migrations for script in (one, one.reverse) if script is not None)


def _name(folder: Path) -> str:
    try:
        folder.name.encode("utf-8")
    except UnicodeEncodeError:
        shown = folder.name.encode("utf-8", "replace").decode()
        raise Misuse(f"The folder name {shown} is not UTF-8.", advice="Rename the folder.") from None
    return folder.name


def script_in(folder: Path) -> bytes | None:
    """The script of a migration's folder; None where there is no file of that name. Raises OSError."""
    return _bytes_of(folder / SCRIPT)


def read_migration(folder: Path, name: str | None = None) -> Migration:
    """One migration's folder; `name` is that of the folder, unless it is given. Raises OSError."""
    beside = (_bytes_of(folder / file) for file in BESIDE)
    return Migration(name or folder.name, folder, script_in(folder), *beside)


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def provider_in(path: Path) -> tuple[int, str] | None:
    """What a lock file says that its migrations are for, and in which line; None if there is no such file.

    The first line that starts with `provider` decides; without one, line 0 and no name. Raises OSError.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("provider"):
            return number, line.partition("=")[2].partition("#")[0].strip().strip("\"'")
    return 0, ""


def other_provider(path: Path) -> str | None:
    """What a folder's lock file says that it is for, if that is not PostgreSQL. None without the file or the line.

    Raises Misuse if the file is there and cannot be read.
    """
    try:
        line, provider = provider_in(path / LOCK_FILE) or (0, "")
    except NotADirectoryError:
        return None
    except OSError as error:
        raise Misuse(
            f"{error.filename or path} cannot be read: {error.strerror}.", advice="Give your user the right to read it."
        ) from error
    return provider if line and provider != PROVIDER else None
