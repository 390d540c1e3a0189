"""Keeps the tests away from the home, the state and the databases of the person who runs them."""

import os
import re
from pathlib import Path

import pytest

FOREIGN = re.compile(r"PG[A-Z]+|.*DATABASE_URL|DIRECT_URL|GONOGO_.*")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new, empty home; no variable in the environment that names a database or another home."""
    home = tmp_path_factory.mktemp("home", numbered=True)
    for name in os.environ:
        if FOREIGN.fullmatch(name):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for name, folder in (
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_RUNTIME_DIR", ".run"),
    ):
        (home / folder).mkdir(mode=0o700, parents=True)
        monkeypatch.setenv(name, str(home / folder))
    return home
