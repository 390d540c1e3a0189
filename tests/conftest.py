"""What all tests share. Fixtures that need more than a few lines are in fix_*.py."""

import gc
import os
import signal
import sys
from pathlib import Path

import pytest

# This checkout, whatever is installed; and the fix_* modules beside this file.
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

# gonogo is started hundreds of times; each module is compiled once, also where the machine says not to.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What a shell starts in the background ignores Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Looking for garbage again and again, also in what stays, took a quarter of the time.
gc.set_threshold(20_000)

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is imported by now stays."""
    gc.collect()
    gc.freeze()
