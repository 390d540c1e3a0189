"""Text that PostgreSQL's own grammar takes longer and longer for, the more of it there is."""

import re

MOST = 1000
"""Of what makes it go back in one run of signs or names; each time it goes through all of the run again."""

_RUN = re.compile(r"[~!@#^&|`?+\-*/%<>=]{1000,}|[\w.]{1000,}")


def endless_at(text: str) -> int | None:
    """Where the first run begins that would take too long: of comments in comments, of pluses, of names with dots."""
    return next((found.start() for found in _RUN.finditer(text) if _goes_back(found[0]) > MOST), None)


def _goes_back(run: str) -> int:
    if not run.strip("+-"):
        return len(run.split("--", 1)[0])
    return run.count("/*") if "/*" in run or ".." in run else run.count(".")
