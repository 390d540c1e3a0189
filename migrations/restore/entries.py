"""The table of contents of an archive, and which of its entries are to be put back."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from migrations.backup.archive import program
from migrations.backup.tools import Tools
from migrations.problem import Problem

OWN = "pg_catalog "
_ENTRY = re.compile(r"^(\d+); (\d+) (\d+) ((?:[A-Z]+ )+)(.*)$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `rest` is schema (or `-`), name and owner, as pg_restore writes them."""

    line: str
    oid: int
    sort: str
    rest: str


async def read_entries(tools: Tools, file: Path, env: Mapping[str, str]) -> tuple[Entry, ...]:
    """Every entry, in order. Raises Problem if the file is no archive that pg_restore reads."""
    found: list[Entry] = []

    async def on_out(line: str) -> None:
        if entry := _ENTRY.match(line):
            found.append(Entry(line, int(entry[3]), entry[4].strip(), entry[5]))

    code, said = await program([str(tools.pg_restore), "--list", str(file)], env, on_out=on_out)
    if code != 0:
        raise Problem(
            f"{file.name} is no archive that pg_restore reads.",
            advice="Restore a plain dump beside the live database (restore.side), and take the tables from there.",
            detail=said,
        )
    return tuple(found)


def write_entries(path: Path, entries: Iterable[Entry], keep: Callable[[Entry], bool]) -> None:
    """Write those that count, for `--use-list`. Blocks."""
    path.write_text("".join(f"{entry.line}\n" for entry in entries if keep(entry)), encoding="utf-8")


def of_postgres(entry: Entry) -> bool:
    """Whether it is about something of PostgreSQL's own: a grant on one of its functions."""
    return entry.rest.startswith(OWN)


def beside(schemas: Collection[str], extensions: Collection[str]) -> Callable[[Entry], bool]:
    """All but what stays as it is: these schemas themselves, these extensions, PostgreSQL's own things, and ours."""
    stays = {*(f"SCHEMA {name}" for name in schemas), *(f"EXTENSION {name}" for name in extensions)}

    def keep(entry: Entry) -> bool:
        if of_postgres(entry) or entry.rest.startswith("gonogo ") or entry.rest.startswith("- gonogo "):
            return False
        name = entry.rest.removeprefix("- ")
        if entry.sort in ("COMMENT", "ACL"):
            return not any(name.startswith(f"{one} ") or name == one for one in stays)
        return not any(f"{entry.sort} {name}".startswith(f"{one} ") or f"{entry.sort} {name}" == one for one in stays)

    return keep
