"""Which Prisma it is: as it says itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from migrations.prisma.runner import Runner
from migrations.problem import Problem, Unavailable
from migrations.process import capture

SECONDS = 20.0
NEXT = 8
"""Prisma 8 is another system, with another ledger."""
SPLITS = (7, 4)
VERSION = re.compile(r"^\s*prisma\s*:\s*(\d+)\.(\d+)\.(\S+)", re.MULTILINE)
SAID = 300


@dataclass(frozen=True, slots=True)
class Version:
    """`7.10.1`; `text` is how Prisma writes it."""

    major: int
    minor: int
    text: str

    @property
    def splits(self) -> bool:
        """Whether it sends a script statement by statement."""
        return (self.major, self.minor) >= SPLITS

    @property
    def words(self) -> str:
        """How this version sends a script, in words."""
        if self.splits:
            return "sends a script statement by statement, each committed by itself, or as a whole if it cannot read it"
        return "sends a script as a whole: one transaction, unless the script has its own"


async def version(runner: Runner, env: Mapping[str, str]) -> Version:
    """Ask the command. Raises Unavailable if it does not run here or tells none, Problem for one that is not driven."""
    argv = [*runner.cli, "--version"]
    try:
        _, out, err = await capture(argv, env=env, cwd=runner.folder, timeout=SECONDS)
    except Unavailable:
        raise
    except Problem as problem:
        raise Unavailable(problem.what, advice="See why in a shell; it must answer at once.") from None
    said = f"{out}\n{err}"
    found = VERSION.search(said)
    if found is None:
        raise Unavailable(
            f"`{' '.join(argv)}` tells no version of Prisma: {_last(said)}",
            advice=f"Install the project's packages in {runner.folder} (npm ci and the like), engines included.",
        )
    major, minor, rest = found.groups()
    if int(major) >= NEXT:
        raise Problem(
            f"Prisma {major}.{minor}.{rest} keeps another ledger than _prisma_migrations, and is not driven.",
            advice='Use Prisma 7 or older for these migrations, or leave out engine = "prisma".',
        )
    return Version(int(major), int(minor), f"{major}.{minor}.{rest}")


def _last(said: str) -> str:
    """What it said instead, in one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    words = next((line for line in lines if "rror" in line), lines[-1] if lines else "it says nothing")
    return f"{words[:SAID].rstrip('.')}."
