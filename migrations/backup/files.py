"""Where a dump lies: `.partial` until it is whole, then under its name; a file, or a folder of files."""

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from migrations.problem import Problem, Unavailable

Format = Literal["custom", "directory", "plain"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIX: dict[Format, str] = {"custom": ".dump", "directory": ".dir", "plain": ".sql"}

SAME_SECOND = 9
CONTENTS = "toc.dat"
_ARCHIVE = b"PGDMP"
_GZIP = b"\x1f\x8b"
_PACKED = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK": "zip"}


def file_name(database: str, at: datetime, format: Format = "custom") -> str:
    """`shop_20260131T020304Z.dump`; what is awkward in a file's name becomes `_`."""
    plain = re.sub(r"[^\w.-]", "_", database).lstrip(".-") or "database"
    return f"{plain}_{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{SUFFIX[format]}"


def partial_of(path: Path) -> Path:
    """What a dump is called until it is whole."""
    return path.with_name(path.name + ".partial")


def create(path: Path, format: Format) -> Path:
    """An empty partial file or folder whose final name is free. One of the same second gets `-2` behind its time."""
    for number in range(1, SAME_SECOND + 1):
        partial = partial_of(path if number == 1 else path.with_stem(f"{path.stem}-{number}"))
        try:
            if partial.with_suffix("").exists():
                continue
            if format == "directory":
                partial.mkdir(mode=0o700)
            else:
                os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
            return partial
        except FileExistsError:
            continue
        except OSError as error:
            raise no_folder(path.parent, error) from None
    raise Problem(f"{path} exists already.", advice="Others dump into the same folder: try again.")


def finish(partial: Path, path: Path) -> None:
    """Give it its name, once it is on the disk."""
    for file in sorted(partial.iterdir()) if partial.is_dir() else ():
        file.chmod(0o600)
        _sync(file)
    _sync(partial)
    partial.rename(path)
    _sync(path.parent)


def remove(path: Path) -> None:
    """Delete a dump, whole or not. Nothing where there is none. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Bytes so far. Raises FileNotFoundError."""
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size


def packed(path: Path) -> bool:
    """Whether it is compressed by gzip as a whole."""
    return not path.is_dir() and _head(path).startswith(_GZIP)


def format_of(path: Path) -> Format:
    """What a dump is, by its first bytes. A plain one may be compressed by gzip. Raises Problem for what is none."""
    if path.is_dir():
        if (path / CONTENTS).is_file():
            return "directory"
        raise _not_read(path, f"a folder without {CONTENTS}, which pg_dump --format=directory writes")
    head = _head(path)
    if head.startswith(_ARCHIVE):
        return "custom"
    if head[257:262] == b"ustar":
        raise _not_read(path, "a tar archive")
    if other := next((name for magic, name in _PACKED.items() if head.startswith(magic)), None):
        raise _not_read(path, f"compressed by {other}")
    if not head:
        raise _not_read(path, "empty")
    return "plain"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise Problem(f"The dump {path} cannot be read: {error.strerror}.", advice="Bring it back there.") from None


def _not_read(path: Path, what: str) -> Problem:
    return Problem(
        f"{path.name} is {what}: gonogo cannot read it back.",
        advice="Let pg_dump write --format=custom, directory or plain; a plain one may be compressed by gzip.",
    )


def no_folder(folder: Path, error: OSError) -> Unavailable:
    """The problem that a folder for dumps is not one."""
    return Unavailable(
        f"Dumps cannot be written to {folder}: {error.strerror}.",
        advice="Make room, give yourself the right to write there, or name another folder (dumps in gonogo.toml).",
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
