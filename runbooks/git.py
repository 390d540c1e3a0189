"""What git says of a folder."""

import os
from pathlib import Path

from migrations.problem import Problem
from migrations.process import capture
from runbooks.events import Git


async def head_of(folder: Path) -> Git | None:
    """The commit of the folder's work tree, and whether it is clean. None without git or outside a work tree."""
    env = _environment()
    try:
        code, commit, _ = await capture(["git", "rev-parse", "HEAD"], env=env, cwd=folder)
        if code != 0:
            return None
        code, changes, _ = await capture(["git", "status", "--porcelain", "--", "."], env=env, cwd=folder)
    except Problem:
        return None
    return Git(commit=commit.strip(), clean=code == 0 and not changes.strip())


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


def _environment() -> dict[str, str]:
    """Of this folder, whatever git was told in the terminal; and nothing is written, not even its index."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**inherited, "GIT_OPTIONAL_LOCKS": "0"}
