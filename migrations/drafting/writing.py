"""New migrations on disk: all of them whole, or none."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from migrations.folder import SCRIPT
from migrations.problem import Misuse, Unavailable


def write(folder: Path, scripts: Mapping[str, str]) -> tuple[Path, ...]:
    """Make a folder for each name in the migrations folder, which is made if it is missing, with its script.

    They may be read by whoever may read the migrations folder. Nothing is written over; if anything fails, nothing
    stays. Returns the scripts' paths. Raises Misuse for a name that is taken, Unavailable where nothing can be written.
    """
    folder = folder.resolve()
    with _whole(folder) as made:
        for parent in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
            parent.mkdir(mode=0o755)
            made.append(parent)
        mode = folder.stat().st_mode & 0o777
        for name, text in scripts.items():
            _make(folder / name, text, mode, made)
        _settle(folder)
    return tuple(folder / name / SCRIPT for name in scripts)


def write_beside(migration: Path, name: str, text: str) -> Path:
    """Write a file into the folder of a migration that is there. As for `write`; returns its path."""
    with _whole(migration) as made:
        if (migration / name).exists():
            raise _taken(migration / name)
        _put(migration, name, text, migration.stat().st_mode & 0o777, made)
    return migration / name


@contextmanager
def _whole(folder: Path) -> Iterator[list[Path]]:
    """Gives a list for what is made; nothing of it stays if anything fails."""
    made: list[Path] = []
    try:
        yield made
    except BaseException as error:
        _unmake(made)
        if isinstance(error, OSError):
            raise Unavailable(
                f"{error.filename or folder} cannot be written: {error.strerror}. Nothing was made.",
                advice="Mend that, and run this again.",
            ) from error
        raise


def _taken(path: Path) -> Misuse:
    return Misuse(f"There is {path} already. Nothing was made.", advice="Take another name, or move it away.")


def _make(place: Path, text: str, mode: int, made: list[Path]) -> None:
    try:
        place.mkdir()
    except FileExistsError:
        raise _taken(place) from None
    made.append(place)
    with suppress(PermissionError):  # some file systems have no modes
        place.chmod(mode)
    _put(place, SCRIPT, text, mode, made)


def _put(place: Path, name: str, text: str, mode: int, made: list[Path]) -> None:
    partial = place / f".{name}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(partial, flags, mode & 0o666), "wb") as file:
        made.append(partial)
        with suppress(PermissionError):
            os.fchmod(file.fileno(), mode & 0o666)
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    made.append(partial.rename(place / name))
    _settle(place)


def _settle(folder: Path) -> None:
    """Put its names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(PermissionError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unmake(made: list[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()
