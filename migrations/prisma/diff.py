"""`prisma migrate diff` from the database to the schema: what Prisma would do to bring it there, as SQL. It only reads.

The other way round it prints the inverse. Which options a version takes is seen in its own help: 6 reads the address
by `--from-schema-datasource`, 7 by `--from-config-datasource`; neither puts it on the command line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrations.prisma.address import differs
from migrations.prisma.said import Said
from migrations.problem import Problem
from migrations.process import Stream, capture
from migrations.target import Url

SAME, DIFFERENT = 0, 2
"""What `--exit-code` makes it end with."""
EMPTY = "This is an empty migration"
LONGEST = 300
ADVICE = "Run the same command in a shell of this folder, and see what it says there."

_TALK = re.compile(
    r"(?:Loaded Prisma config|Prisma schema loaded|Prisma config detected|Environment variables loaded|"
    r"yarn run v|\$ |Done in |info |warn )"
)
"""What package managers and the CLI say beside the script."""


@dataclass(frozen=True, slots=True)
class Diff:
    """The command, in words, and the script that it printed; empty where the database is as the schema says."""

    command: str
    script: str


def compares(major: int, schema: str) -> tuple[str, ...]:
    """How a version is asked for the way from the database to the schema."""
    if major >= 7:
        return ("--from-config-datasource", "--to-schema", schema)
    return ("--from-schema-datasource", schema, "--to-schema-datamodel", schema)


async def goes_to(
    cli: Sequence[str], schema: Path, *, url: Url, env: Mapping[str, str], cwd: Path, timeout: float
) -> str:
    """Why the command would read elsewhere than the target, in words; empty where it does not.

    Raises Problem if it does not say where it goes.
    """

    async def quiet(_: Stream, __: str) -> None:
        return

    said = Said(quiet)
    _, out, err = await capture([*cli, "migrate", "status", "--schema", str(schema)], env=env, cwd=cwd, timeout=timeout)
    await said.take("out", out)
    await said.take("err", err)
    await said.close()
    if said.datasource is None:
        raise Problem(f"Prisma does not say where it reads: {_complaint(out, err)}", advice=ADVICE)
    return differs(said.datasource, url)


async def diff(
    cli: Sequence[str], major: int, schema: Path, *, env: Mapping[str, str], cwd: Path, timeout: float
) -> Diff:
    """Ask for it. Raises Problem, with what Prisma says, where it cannot tell."""
    words = ("migrate", "diff", *compares(major, str(schema)), "--script", "--exit-code")
    code, out, err = await capture([*cli, *words], env=env, cwd=cwd, timeout=timeout)
    script = "".join(f"{line}\n" for line in out.splitlines() if not _TALK.match(line)).strip()
    command = " ".join((*cli, *words))
    if code == SAME and EMPTY in script:
        return Diff(command, "")
    if code == DIFFERENT and script:
        return Diff(command, f"{script}\n")
    raise Problem(f"`{command}` printed no script (it ended with {code}): {_complaint(out, err)}", advice=ADVICE)


def _complaint(out: str, err: str) -> str:
    """What follows `Error:`, else the last line."""
    lines = [line.strip() for line in f"{out}\n{err}".splitlines() if line.strip() and not _TALK.match(line.strip())]
    start = next((n for n, line in enumerate(lines) if line.startswith("Error:")), max(0, len(lines) - 1))
    said = " ".join(lines[start:]).removeprefix("Error:").strip()
    return (said[:LONGEST].rstrip(".") or "it says nothing") + "."
