"""What git says of a folder."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from migrations.problem import Problem
from migrations.process import capture
from runbooks.session.events import Git

PAPERS = ("gonogo plan 1", "gonogo approval 1")
MOST_OF_PAPER = 16 * 1024 * 1024
MOST_COMMITS = 50
"""So many commits of one file are looked at."""


async def head_of(folder: Path) -> Git | None:
    """The commit of the folder's work tree, and whether it is clean. None without git or outside a work tree."""
    env = _environment()
    try:
        code, commit, _ = await capture(["git", "rev-parse", "HEAD"], env=env, cwd=folder)
        if code != 0:
            return None
        code, changes, _ = await capture(["git", "status", "--porcelain", "-z", "--", "."], env=env, cwd=folder)
        _, above, _ = await capture(["git", "rev-parse", "--show-cdup"], env=env, cwd=folder)
    except Problem:
        return None
    top = folder / above.strip()
    others = [one for one in changes.split("\0") if one and not (one.startswith("?? ") and _is_paper(top / one[3:]))]
    return Git(commit=commit.strip(), clean=code == 0 and not others)


def _is_paper(path: Path) -> bool:
    """Whether a file that git does not know is a plan, an approval or the signature of one: nothing runs by it."""
    about = path.with_suffix("") if path.suffix == ".sig" else path
    try:
        with about.open("rb") as file:
            read = json.loads(file.read(MOST_OF_PAPER))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(read, dict) and read.get("format") in PAPERS


async def committed(folder: Path) -> frozenset[str] | None:
    """The files under a folder, relative to it, that are in git's latest commit as they are on disk.

    None without git or outside a work tree. Raises nothing.
    """
    env = _environment()
    try:
        code, inside, _ = await capture(["git", "rev-parse", "--is-inside-work-tree"], env=env, cwd=folder)
        if code != 0 or inside.strip() != "true":
            return None
        code, tracked, _ = await capture(["git", "ls-tree", "-r", "-z", "--name-only", "HEAD"], env=env, cwd=folder)
        if code != 0:
            return frozenset()  # there is no commit yet
        code, changed, _ = await capture(
            ["git", "diff", "--name-only", "-z", "--relative", "HEAD", "--", "."], env=env, cwd=folder
        )
    except Problem:
        return None
    return frozenset(tracked.split("\0")) - frozenset(changed.split("\0")) if code == 0 else None


async def latest_text(path: Path, wanted: Callable[[str], bool]) -> tuple[str, str] | None:
    """The newest commit of any branch in which the file was `wanted`, by its text then; and that text.

    The file need not be there any more. None without git, or where no commit has it. Raises nothing.
    """
    folder = next(p for p in path.parents if p.is_dir())
    env, place = _environment(), f"./{path.relative_to(folder).as_posix()}"
    search = ["git", "log", "--all", "--format=%H", "--diff-filter=AM", f"--max-count={MOST_COMMITS}", "--", place]
    try:
        code, commits, _ = await capture(search, env=env, cwd=folder)
        for commit in commits.split() if code == 0 else ():
            code, text, _ = await capture(["git", "cat-file", "blob", f"{commit}:{place}"], env=env, cwd=folder)
            if code == 0 and wanted(text):
                return commit, text
    except Problem:
        return None
    return None


def _environment() -> dict[str, str]:
    """Of this folder, whatever git was told in the terminal; and nothing is written, not even its index."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**inherited, "GIT_OPTIONAL_LOCKS": "0"}
