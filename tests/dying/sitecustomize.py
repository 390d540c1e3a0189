"""Python reads this first where its folder is on PYTHONPATH: the runner then dies at one record, as if power were cut.

`DIE_AT` is the record's number, `DIE_HOW` `half` (in the middle of its line) or `whole` (before anything follows).
"""

import os
import signal
import sys

AT, HOW = os.environ.get("DIE_AT"), os.environ.get("DIE_HOW")


def dying(file: int, data: bytes) -> int:
    """`os.write`, up to that record."""
    line = bytes(data)
    if not line.endswith(f',"seq":{AT}}}\n'.encode()):
        return write(file, data)
    write(file, line if HOW == "whole" else line[: len(line) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


if AT and "runbooks.running.runner" in sys.orig_argv:
    write, os.write = os.write, dying  # type: ignore[assignment]
