"""How the team's own Prisma is called: found from the lock file and package.json, never one that would be fetched."""

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrations.problem import Misuse, Unavailable

PRISMA = "prisma"
DEPLOY = ("migrate", "deploy")
MANIFEST = "package.json"
NATIVE = 'Or leave out engine = "prisma": gonogo then applies the scripts itself.'


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager: how it runs a package's program, and a script of package.json."""

    name: str
    cli: tuple[str, ...]
    script: tuple[str, ...]
    between: tuple[str, ...] = ()
    """What stands between a script's name and its arguments."""
    node: bool = True


NPM = Manager("npm", ("npx", "--no-install", PRISMA), ("npm", "run"), ("--",))
PNPM = Manager("pnpm", ("pnpm", "exec", PRISMA), ("pnpm", "run"))
YARN = Manager("yarn", ("yarn", "run", PRISMA), ("yarn", "run"))
BUN = Manager("bun", ("bunx", "--no-install", PRISMA), ("bun", "run"), node=False)
LOCK_FILES = {
    "package-lock.json": NPM,
    "npm-shrinkwrap.json": NPM,
    "pnpm-lock.yaml": PNPM,
    "yarn.lock": YARN,
    "bun.lock": BUN,
    "bun.lockb": BUN,
}


@dataclass(frozen=True, slots=True)
class Runner:
    """`cli` stands before `migrate status`, `deploy` before what leads to the scripts; both run in `folder`."""

    folder: Path
    cli: tuple[str, ...]
    deploy: tuple[str, ...]
    why: str
    """What says so: a lock file, or the runbook."""

    @property
    def words(self) -> str:
        """The command, as a person would type it."""
        return shlex.join(self.deploy).removesuffix(" --")


def find(migrations: Path, command: str | None, env: Mapping[str, str], *, project: Path) -> Runner:
    """The command for a folder of migrations; `command` is what the runbook gives for it.

    Raises Misuse (nothing says how, or too much does; it would fetch a version), Unavailable (no such program here).
    """
    folder = _nearest(migrations, MANIFEST)
    if command is not None:
        words = _given(command)
        return _there(Runner(folder or project, words, (*words, *DEPLOY), "the runbook's command"), env, node=False)
    if folder is None:
        raise Misuse(
            f"There is no {MANIFEST} in {migrations}, nor in any folder above it.",
            advice=f'Give the command yourself: command = "…" beside engine = "prisma". {NATIVE}',
        )
    lock, manager = _manager(folder)
    script = _script(read_manifest(folder).get("scripts"))
    deploy = (*manager.script, script, *manager.between) if script else (*manager.cli, *DEPLOY)
    return _there(Runner(folder, manager.cli, deploy, lock), env, node=manager.node)


def _nearest(start: Path, name: str) -> Path | None:
    return next((folder for folder in (start, *start.parents) if (folder / name).is_file()), None)


def _manager(folder: Path) -> tuple[str, Manager]:
    """The lock file of the nearest folder that has one, from the package's own upwards, as in a workspace."""
    for here in (folder, *folder.parents):
        names = [name for name in LOCK_FILES if (here / name).is_file()]
        managers = {LOCK_FILES[name].name: LOCK_FILES[name] for name in names}
        if len(managers) > 1:
            raise Misuse(
                f"{here} has lock files of several package managers: {', '.join(names)}.",
                advice='Delete those that are not yours, or say command = "…" beside engine = "prisma".',
            )
        if managers:
            return names[0], next(iter(managers.values()))
    raise Misuse(
        f"No lock file says which package manager {folder} uses ({', '.join(LOCK_FILES)}).",
        advice='Commit one, so that only the locked version runs; or say command = "…" beside engine = "prisma".',
    )


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """The package.json of a folder; empty where there is none. Raises Misuse if it cannot be read."""
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise Misuse(f"{path} cannot be read.", advice="It must be readable, and JSON.") from None
    return found if isinstance(found, dict) else {}


def _script(scripts: object) -> str | None:
    """The name of the script that is `prisma migrate deploy` and nothing else, before and after it, too."""
    found = scripts if isinstance(scripts, dict) else {}
    alone = (name for name in found if not {f"pre{name}", f"post{name}"} & found.keys())
    return next((name for name in alone if str(found[name]).split() == [PRISMA, *DEPLOY]), None)


def _given(command: str) -> tuple[str, ...]:
    """The runbook's own words for Prisma's program. Raises Misuse."""
    try:
        words = tuple(shlex.split(command))
    except ValueError:
        words = ()
    if words[-2:] == DEPLOY:
        words = words[:-2]
    if not words:
        raise Misuse(
            f"`{command}` is no command.", advice='Give what stands before `migrate deploy`: "pnpm exec prisma".'
        )
    if _fetches(words):
        raise Misuse(
            f"`{shlex.join(words)}` would fetch some version of Prisma if none is installed.",
            advice="Use the installed one: npx --no-install prisma, pnpm exec prisma, yarn run prisma.",
        )
    return words


def _fetches(words: Sequence[str]) -> bool:
    program, first = Path(words[0]).name, words[1] if len(words) > 1 else ""
    if program in ("npx", "bunx") or (program, first) in (("npm", "exec"), ("npm", "x"), ("bun", "x")):
        return not {"--no-install", "--no", "--no-yes"} & set(words)
    return first == "dlx" or program == "pnpx"


def _there(runner: Runner, env: Mapping[str, str], *, node: bool) -> Runner:
    """The runner, if its programs are on this machine."""
    wanted = {runner.cli[0], runner.deploy[0], *(("node",) if node else ())}
    for name in sorted(wanted):
        here = (runner.folder / name).is_file() if "/" in name else shutil.which(name, path=env.get("PATH"))
        if not here:
            where = f"in {runner.folder}" if "/" in name else "on the PATH"
            raise Unavailable(
                f"There is no {name} {where}, which `{runner.words}` needs.", advice=f"Install it here. {NATIVE}"
            )
    return runner
