"""Waiting for something that another process does: bounded, and never for a time."""

import time
from collections.abc import Callable

import pytest

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def until() -> Until:
    """Wait until the condition holds; fail after 30 seconds."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass within 30 s"
            time.sleep(0.01)

    return wait
