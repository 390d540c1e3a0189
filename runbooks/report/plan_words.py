"""What a plan says of statements, locks and tables, in words."""

from collections.abc import Sequence

from migrations.impact.estimate import Span
from migrations.impact.words import GUESSED, count_text, size_text, span_text
from runbooks.report.words import many
from runbooks.session import events as e

NAMED = 3
"""So many scripts are named of which the same is said; the rest is counted."""
SHOWN = 10
"""So many lines that are not analysed are named; the rest is counted."""
NO_REHEARSAL = f"Times are {GUESSED}: from having a lock to the end of the transaction. To wait for it comes on top."

HOW = {
    "transaction": "in one transaction",
    "own": "by its own BEGIN and COMMIT",
    "bare": "as one call of code",
    "pieces": "not in one transaction",
    "batch": "as one query, as Prisma does",
    "split": "statement by statement, as Prisma does",
    "empty": "nothing to run",
    "refused": "cannot be run",
}
"""How a script is run, by its `model`."""

_WORKS = {
    "data": "changes rows",
    "scan": "reads every row",
    "build": "builds an index",
    "rewrite": "writes it anew",
}


def coverage(scripts: Sequence[e.Script]) -> str:
    """`31 statements, 30 analysed, 1 not: line 14`; with the names of the scripts, where there are several."""
    statements = sum(len(script.statements) for script in scripts)
    name = len(scripts) > 1
    unread = [
        f"{script.migration} line {one.line}" if name else f"line {one.line}"
        for script in scripts
        for one in script.statements
        if not one.analysed
    ]
    return coverage_words(statements, unread)


def coverage_words(statements: int, unread: Sequence[str]) -> str:
    """The same of so many statements; `unread` are the places of those that are not analysed."""
    words = f"{many(statements, 'statement')}, {statements - len(unread)} analysed"
    if not unread:
        return words
    more = f" and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
    return f"{words}, {len(unread)} not: {', '.join(unread[:SHOWN])}{more}"


def touch_words(touch: e.Touch) -> str:
    """`SHARE on orders, blocks writes, builds an index: 15 s to 3.3 min`."""
    parts = [
        f"{touch.lock} on {touch.relation}",
        f"blocks {touch.blocks}" if touch.blocks else "",
        _WORKS.get(touch.work, ""),
    ]
    time = held_for(touch)
    return ", ".join(part for part in parts if part) + (f": {time}" if time else "")


def held_for(touch: e.Touch) -> str:
    """How long it is locked, as a range; empty where that is not known."""
    if touch.least is None:
        return ""
    return span_text(Span(touch.least, touch.most)) or "for how long is not known"


def table_words(table: e.Table) -> str:
    """`41 million rows, 5.2 GB`."""
    rows = (
        "rows not known"
        if table.rows is None
        else many(table.rows, "row").replace(str(table.rows), count_text(table.rows), 1)
    )
    return rows if table.bytes is None else f"{rows}, {size_text(table.bytes)}"


def unlike_prisma(scripts: Sequence[e.Script]) -> list[str]:
    """What Prisma would do differently, each thing once, with the names of the scripts."""
    names = dict[str, list[str]]()
    for script in scripts:
        if script.prisma:
            names.setdefault(script.prisma, []).append(script.migration)
    return [f"{_some(found)}: {words}" for words, found in names.items()]


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def allowed(scripts: Sequence[e.Script]) -> list[tuple[str, e.Finding]]:
    """Every finding that a script allows itself, with the name of the script."""
    return [(script.migration, finding) for script in scripts for finding in script.findings if finding.allowed]
