"""`gonogo.toml`: what differs between environments. Names of variables, never connection strings."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from migrations.problem import Misuse, Problem
from runbooks.session.runbook import Condition
from runbooks.settings.nearest import one_of

FILE = "gonogo.toml"


@dataclass(frozen=True, kw_only=True)
class Log:
    """Where to look when something went wrong: an address to open, or a program and its arguments that print it."""

    name: str
    url: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One `[environments.NAME]`. What ends in `url` are names of environment variables."""

    name: str
    url: str = "DATABASE_URL"
    direct_url: str | None = None
    restored_url: str | None = None
    """Where a database that was restored elsewhere is reached: for `target.repin`."""
    fingerprint: str | None = None
    runbook: str | None = None
    protected: bool = False
    parity: str | None = None
    parity_required: bool = False
    allowed: tuple[str, ...] | None = None
    """The commands that may begin a session here; None: all of them."""
    refused: tuple[Condition, ...] = ()
    """The conditions of plans that are not for this environment."""
    pooler: Literal["session"] | None = None
    register: bool = False
    notify: tuple[str, ...] = ()
    """The team's command that tells others: a program and its arguments."""
    approvals: int = 0
    signers: str | None = None
    signers_from: str | None = None
    window: tuple[str, ...] = ()
    """When a migration may begin: see runbooks.session.windows."""
    review_within: int = 3
    """Working days, after a run in the emergency lane."""
    logs: tuple[Log, ...] = ()
    """`[environments.NAME.logs]`, in its order."""
    restore_test_max_age: timedelta | None = None
    """How long ago a dump of it may have been restored for the last time."""
    values: dict[str, str] = field(default_factory=dict)
    """`[environments.NAME.values]`: what `${env.key}` stands for in the runbook's step parameters."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that lead to its databases."""
        return tuple(name for name in (self.url, self.direct_url, self.restored_url) if name)


@dataclass(frozen=True, kw_only=True)
class Review:
    """`[review]`: for how long a migration may keep others from reading or writing a table, and what rules to add."""

    reads_blocked: timedelta = timedelta(seconds=1)
    writes_blocked: timedelta = timedelta(seconds=5)
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Project:
    """The whole file. `folder` is where it stands; every relative path in it starts there."""

    name: str
    folder: Path
    sha256: str
    migrations: Path
    naming: str = "prisma"
    secrets: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    """Columns whose values are left out: `table.column`, `schema.table.column`; `*` stands for anything."""
    sessions: Path | None = None
    dumps: Path | None = None
    group: str | None = None
    review: Review = Review()
    drift_ignored: tuple[str, ...] = ()
    """`[drift] ignore`: names of differences that are known and meant; `*` stands for anything."""
    environments: dict[str, Environment]

    def environment(self, name: str) -> Environment:
        """One environment by its name. Raises Misuse that names the nearest one."""
        if name not in self.environments:
            raise Misuse(f"{FILE} has no environment {name}.", advice=f"Expected {one_of(name, self.environments)}.")
        return self.environments[name]


def find(start: Path) -> Path:
    """The gonogo.toml of `start`, or of the nearest folder above it. Raises Misuse if there is none."""
    folder = start.absolute()
    for here in (folder, *folder.parents):
        if (here / FILE).is_file():
            return here / FILE
    raise Misuse(
        f"There is no {FILE} in {folder}, nor in any folder above it.",
        advice="Go to the project's folder, or write one: docs/project.md says how.",
    )


def load(path: Path) -> Project:
    """Read a gonogo.toml. Raises ProjectError with all its faults, or Misuse if it cannot be read."""
    from runbooks.settings.project_file import read_project

    return read_project(path)


def migrations_folder(path: Path) -> Path | None:
    """The folder of migrations that a gonogo.toml names, or None where it cannot be read."""
    try:
        return load(path).migrations
    except Problem:
        return None
