"""What a check is asked to try out."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to try out. `variables` are those that lead to a database; `bin`: PostgreSQL's programs to take."""

    replay: bool
    sync: bool
    command: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    bin: Path | None = None
