"""The team's own Prisma CLI, asked whether schema, migrations and client agree."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from migrations.prisma.diff import compares
from migrations.problem import Problem
from migrations.process import capture
from runbooks.check import matters as m
from runbooks.check.client import about_client
from runbooks.check.report import More, Remark
from runbooks.check.schema import schema_files

CLI = Path("node_modules", ".bin", "prisma")
SECONDS = 180.0
QUIET = {"CHECKPOINT_DISABLE": "1", "NO_COLOR": "1", "PRISMA_HIDE_UPDATE_MESSAGE": "1", "CI": "1"}
UP_TO_DATE = "Database schema is up to date"
DIFFERENT = 2

_INVALID = re.compile(r"^error: ([^\n]+)\n(?:\s*-->\s+([^\n]+):(\d+)$)?", re.MULTILINE)
_TALK = re.compile(r"^(?:Loaded Prisma config|Prisma schema loaded|Prisma config detected|Environment variables)")


@dataclass(frozen=True, slots=True)
class Prisma:
    """The CLI that a project has installed, the folder to start it in, and the schema that goes with the migrations."""

    program: Path
    version: str
    folder: Path
    schema: Path

    @property
    def compares(self) -> tuple[str, ...]:
        """How this version is asked for the difference between the database and the schema."""
        return compares(int(self.version.partition(".")[0]), str(self.schema))


def find_prisma(migrations: Path) -> Prisma:
    """The CLI that is installed nearest to a migrations folder. Raises Problem: why it cannot be asked, in words."""
    places = (migrations, *migrations.parents)
    program = next((place / CLI for place in places if (place / CLI).exists()), None)
    if program is None:
        raise Problem(f"Prisma's CLI is not installed: there is no {CLI} here or above (npm ci puts it there)")
    about = program.parents[1] / "prisma" / "package.json"
    try:
        version = str(json.loads(about.read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Problem(f"which version of Prisma's CLI is installed cannot be read from {about}") from None
    if not re.match(r"[5-7]\.", version):
        raise Problem(f"Prisma {version} is installed, and gonogo knows how to ask 5, 6 and 7")
    files = schema_files(migrations)
    if not files:
        raise Problem(f"there is no schema beside {migrations}")
    folder = next((place for place in places if (place / "package.json").is_file()), migrations.parent)
    return Prisma(program, version, folder, files[0] if len(files) == 1 else migrations.parent)


async def sync(prisma: Prisma, database: str, env: Mapping[str, str]) -> More:
    """Ask it. `env` leads to `database`, which has every migration; empty where there is none."""
    asking = _Asking(prisma, {**env, **QUIET})
    try:
        invalid = await asking.validate()
        more = More(remarks=invalid) if invalid or not database else await asking.compare(database)
    except Problem as problem:
        more = More(not_checked=(f"schema against migrations: {problem.what}",))
    remarks, unknown = about_client(prisma.schema, prisma.folder)
    return More(
        remarks=(*more.remarks, *remarks),
        proven=more.proven,
        not_checked=(*more.not_checked, *unknown),
        settles=more.settles,
    )


class _Asking:
    def __init__(self, prisma: Prisma, env: Mapping[str, str]) -> None:
        self._prisma, self._env = prisma, env

    async def validate(self) -> tuple[Remark, ...]:
        """What is wrong with the schema itself. Raises Problem if the CLI could not tell."""
        code, said = await self._ask("validate", "--schema", str(self._prisma.schema))
        if code == 0:
            return ()
        if "P1012" not in said:
            raise Problem(_last_words(said))
        return tuple(self._invalid(said))

    def _invalid(self, said: str) -> Iterator[Remark]:
        for found in _INVALID.finditer(said):
            path = self._prisma.folder / found[2] if found[2] else self._prisma.schema
            yield m.SYNC.remark(path, f"the schema is not valid: {found[1]}", line=int(found[3] or 1))

    async def compare(self, database: str) -> More:
        """Whether the replayed database is what the schema says. Raises Problem if the CLI could not tell."""
        _, said = await self._ask("migrate", "status", "--schema", str(self._prisma.schema))
        if f'"{database}"' not in said:
            raise Problem(f"Prisma's CLI did not come to the throw-away database: {_last_words(said)}")
        if UP_TO_DATE not in said:
            return More(remarks=(self._remark(f"Prisma finds another history than gonogo: {_last_words(said)}"),))
        code, said = await self._ask("migrate", "diff", *self._prisma.compares, "--exit-code")
        if code == DIFFERENT:
            return More(remarks=(self._remark(f"schema and migrations do not agree: {_told(said)}"),))
        if code != 0:
            raise Problem(_last_words(said))
        settled = frozenset({m.SCHEMA_ALONE.code, m.MIGRATION_ALONE.code})
        words = f"Prisma {self._prisma.version} finds schema and migrations in agreement"
        return More(proven=(words,), settles=settled)

    def _remark(self, words: str) -> Remark:
        path = self._prisma.schema
        return m.SYNC.remark(path, words)

    async def _ask(self, *words: str) -> tuple[int, str]:
        """Exit code, and both streams. Raises Problem if it could not run."""
        code, out, err = await capture(
            [str(self._prisma.program), *words], env=self._env, cwd=self._prisma.folder, timeout=SECONDS
        )
        return code, f"{out}\n{err}"


def _told(said: str) -> str:
    lines = (line.strip() for line in said.splitlines() if not _TALK.match(line))
    return "; ".join(line for line in lines if line)


def _last_words(said: str) -> str:
    """What it complains of: what follows `Error:`, else its last line."""
    lines = [line.strip() for line in said.splitlines() if not _TALK.match(line)]
    start = next((number for number, line in enumerate(lines) if line.startswith("Error:")), None)
    if start is None:
        return next((line for line in reversed(lines) if line), "it said nothing")
    told = [lines[start].removeprefix("Error:").strip(), *lines[start + 1 :]]
    first = next((number for number, line in enumerate(told) if line), 0)
    return " ".join(takewhile(bool, told[first:]))
