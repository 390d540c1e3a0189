"""Opening what lies in a session folder: own files only, and never through a link."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from migrations.problem import Problem, Unavailable
from runbooks.journal.artefacts import mode_in
from runbooks.journal.records import MAX_LINE

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_folder(path: Path, *, own: bool = True) -> int:
    """A descriptor of a folder that is ours alone to write, unless not `own`. The caller closes it.

    Raises Unavailable for a link, another owner's folder, one that others can write, one that cannot be opened.
    """
    try:
        folder = os.open(path, _READ | os.O_DIRECTORY)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        if own:
            _own(os.fstat(folder), path)
    except Problem:
        os.close(folder)
        raise
    return folder


def open_file(folder: int, name: str, flags: int, shown: Path) -> int:
    """A descriptor of a regular file of ours in `folder`; new ones get `mode_in` it. `shown` is for the errors.

    Raises Problem if it should be new and is there; Unavailable for a link, another owner's file, what is not a file.
    """
    try:
        file = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600, dir_fd=folder)
    except OSError as error:
        raise _refused(shown, error) from None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise Unavailable(f"{shown} is not a file.", advice="gonogo left it alone; move it away.")
        _own(status, shown)
        if flags & os.O_CREAT:
            os.fchmod(file, mode_in(folder))
    except Problem:
        os.close(file)
        raise
    return file


def read_lines(file: int) -> Iterator[bytes]:
    """The lines of an open file, each with its line feed; the last may lack it. Closes the descriptor at the end.

    A line longer than `MAX_LINE` comes cut to one byte more, and is the last.
    """
    with os.fdopen(file, "rb", buffering=1024 * 1024) as lines:
        while line := lines.readline(MAX_LINE + 1):
            yield line
            if len(line) > MAX_LINE:
                return


def whole(line: bytes) -> bool:
    """Whether a line of `read_lines` is to be judged: it is not just the torn or growing end of the file."""
    return line.endswith(b"\n") or len(line) > MAX_LINE


def open_to_read(path: Path) -> int:
    """A descriptor of a file to be read only, whoever owns it: an auditor reads what somebody else wrote.

    Raises Unavailable for a link, for what is not a file, and if it cannot be opened.
    """
    try:
        file = os.open(path, _READ)
    except OSError as error:
        raise _refused(path, error) from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Unavailable(f"{path} is not a file.", advice="Name the journal.jsonl of a session.")
    return file


def write_all(file: int, data: bytes) -> None:
    """Write every byte. Raises OSError."""
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def _own(status: os.stat_result, path: Path) -> None:
    if status.st_uid != os.geteuid():
        raise Unavailable(f"{path} belongs to another account (uid {status.st_uid}).", advice="gonogo left it alone.")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unavailable(
            f"{path} can be written by others.", advice="See who changed it; `chmod go-w` makes it yours again."
        )


def _refused(path: Path, error: OSError) -> Problem:
    if isinstance(error, FileExistsError):
        return Problem(f"{path} is there already.", advice="gonogo left it alone. Begin a new session.")
    if path.is_symlink():
        return Unavailable(
            f"{path} is a link, and gonogo follows none here.", advice="Put a real folder or file there."
        )
    return Unavailable(f"{path} cannot be opened: {error.strerror}.", advice="Check that it exists and who owns it.")
