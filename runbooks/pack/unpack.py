"""A pack that came from elsewhere, unpacked into a folder of its own that goes away again."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrations.problem import Problem, Unavailable
from runbooks.pack.verify import UNREADABLE, Bad, Zip

LARGEST = 16 * 1024**3
"""No pack that is unpacked is larger than this, in bytes; a small archive can claim to hold far more."""
_PIECE = 1 << 20


@contextmanager
def unpacked(pack: Path) -> Iterator[Path]:
    """The files of a pack, in a folder that only we can read, until the end of the block.

    What cannot be read of it is not there. Raises Problem: no archive, or one with names that lead elsewhere, links,
    too many or too large files; Unavailable: no room for it.
    """
    try:
        source = Zip(str(pack))
    except (Bad, OSError, *UNREADABLE) as error:
        raise Problem(f"{pack} is no pack that can be read: {error}.", advice="Ask for it anew.") from None
    try:
        with tempfile.TemporaryDirectory(prefix="gonogo-pack-") as place:
            _room(sum(source.names.values()), Path(place), pack)
            for name, size in source.names.items():
                _unpack(source, name, size, Path(place))
            yield Path(place)
    except OSError as error:
        raise Unavailable(f"{pack} cannot be unpacked: {error.strerror}.", advice="Make room, or set TMPDIR.") from None


def _room(needed: int, place: Path, pack: Path) -> None:
    if needed > LARGEST:
        raise Problem(f"{pack} claims to hold {needed} bytes.", advice="No pack is so large: leave it alone.")
    free = shutil.disk_usage(place).free
    if needed > free:
        what = f"{pack} needs {needed} bytes of room in {place.parent}, and {free} are free."
        raise Unavailable(what, advice="Make room, or set TMPDIR.")


def _unpack(source: Zip, name: str, size: int, place: Path) -> None:
    path = place / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(file, "wb") as target:
        try:
            with source.open(name) as packed:
                while size > 0 and (piece := packed.read(min(size, _PIECE))):
                    target.write(piece)
                    size -= len(piece)
                whole = size == 0 and not packed.read(1)
        except UNREADABLE:
            whole = False
    if not whole:
        path.unlink()
