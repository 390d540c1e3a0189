"""`gonogo.toml`: what differs between environments. Names of variables, never connection strings."""

from pathlib import Path
from typing import Literal

from runbooks.frozen import Frozen


class Environment(Frozen):
    """One `[environments.NAME]`. `url` and `direct_url` are names of environment variables."""

    name: str
    url: str = "DATABASE_URL"
    direct_url: str | None = None
    fingerprint: str | None = None
    runbook: str | None = None
    protected: bool = False
    parity: str | None = None
    pooler: Literal["session"] | None = None
    values: dict[str, str] = {}
    """`[environments.NAME.values]`: what `${env.key}` stands for in the runbook's step parameters."""


class Project(Frozen):
    """The whole file. `folder` is where it stands; every relative path in it starts there."""

    name: str
    folder: Path
    sha256: str
    migrations: Path
    naming: str = "prisma"
    secrets: tuple[str, ...] = ()
    sessions: Path | None = None
    dumps: Path | None = None
    environments: dict[str, Environment]
