"""What is tried out rather than read, on one throw-away server: the replay, a command, the team's own CLI."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from migrations.problem import Misuse, Problem
from runbooks.check.replay import Replayed, environment_for, replayed, run_command
from runbooks.check.report import More
from runbooks.check.schema import schema_files
from runbooks.check.sources import Sources
from runbooks.check.sync import Prisma, find_prisma, sync
from runbooks.check.wanted import Wanted

_NAMED = re.compile(r"""\benv\(\s*["'](\w+)["']|process\.env(?:\.(\w+)|\[\s*["'](\w+)["'])""")
CONFIGS = ("prisma.config.ts", "prisma.config.js", "prisma.config.mjs", "prisma.config.cjs", "prisma.config.mts")


async def prove(sources: Sources, wanted: Wanted, environ: Mapping[str, str]) -> More:
    """Try it out. Raises Misuse, Unavailable."""
    if len(sources.folders) != 1:
        raise Misuse(
            "--replay and --sync need one migrations folder, all of it.",
            advice="Name that folder alone, or none: then it is the one of gonogo.toml.",
        )
    prisma, more = _prisma(sources.folders[0]) if wanted.sync else (None, More())
    if not wanted.replay and prisma is None:
        return more
    variables = ("DATABASE_URL", *wanted.variables, *named_in(sources.folders[0]))
    async with replayed(sources, wanted.bin) as database:
        found = [more, database.more]
        env = environment_for(database.url, variables, environ)
        if prisma is not None:
            found.append(await sync(prisma, database.name if database.applied else "", env))
        if wanted.command:
            found.append(await _command(wanted.command, database, env, sources.folders[0]))
    return _together(found)


def _prisma(folder: Path) -> tuple[Prisma | None, More]:
    try:
        return find_prisma(folder), More()
    except Problem as problem:
        return None, More(not_checked=(f"whether schema, migrations and client agree: {problem.what}",))


async def _command(command: Sequence[str], database: Replayed, env: Mapping[str, str], folder: Path) -> More:
    if not database.applied:
        return More(not_checked=(f"{command[0]}: it needs a database that has every migration",))
    return await run_command(command, env, folder)


def named_in(migrations: Path) -> tuple[str, ...]:
    """The variables that Prisma's schema and configuration take addresses from."""
    places = (migrations, *migrations.parents)
    configs = (place / name for place in places[:4] for name in CONFIGS)
    names = []
    for file in (*schema_files(migrations), *configs):
        if file.is_file():
            found = _NAMED.finditer(file.read_text("utf-8", "replace"))
            names += [name for match in found if _leads(name := next(filter(None, match.groups())))]
    return tuple(dict.fromkeys(names))


def _leads(name: str) -> bool:
    return re.search("URL|URI|DSN|DATABASE|POSTGRES", name, re.IGNORECASE) is not None


def _together(found: Sequence[More]) -> More:
    return More(
        remarks=tuple(remark for more in found for remark in more.remarks),
        proven=tuple(words for more in found for words in more.proven),
        not_checked=tuple(words for more in found for words in more.not_checked),
        settles=frozenset[str]().union(*(more.settles for more in found)),
    )
