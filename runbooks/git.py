"""What git says of a folder."""

import os
from pathlib import Path

from migrations.problem import Problem
from migrations.process import capture
from runbooks.events import Git


async def head_of(folder: Path) -> Git | None:
    """The commit of the folder's work tree, and whether it is clean. None without git or outside a work tree."""
    try:
        code, commit, _ = await capture(["git", "rev-parse", "HEAD"], env=os.environ, cwd=folder)
        if code != 0:
            return None
        code, changes, _ = await capture(["git", "status", "--porcelain", "--", "."], env=os.environ, cwd=folder)
    except Problem:
        return None
    return Git(commit=commit.strip(), clean=code == 0 and not changes.strip())
