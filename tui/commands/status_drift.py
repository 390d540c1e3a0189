"""What `gonogo status --drift` prints."""

import sys

from runbooks.ledger.drifting import DriftStatus, DriftTold
from tui.printable import one_line, printable
from tui.words import plural


def drift_lines(found: DriftStatus) -> list[str]:
    """What drifted: each difference, both sides, and the SQL that undoes it."""
    if not found.replayed:
        lines = [f"? drift is not known: {found.could_not}", f"  → {found.advice}"]
        return [printable(line) for line in (*lines, *(f"  {text}" for text in found.unsure))]
    lines = [f"replayed: {found.replayed}"]
    lines += [f"  ! {text}" for text in found.unsure]
    lines += [f"  · {note}" for note in found.notes]
    lines += [f"  · known by gonogo.toml: {', '.join(found.ignored)}"] if found.ignored else []
    for difference in found.differences:
        lines += _lines(difference)
    count = len(found.differences)
    lines.append(f"drifted: {plural(count, 'difference')}" if count else "no drift")
    return [printable(line) for line in lines]


def _lines(difference: DriftTold) -> list[str]:
    lines = [f"! {difference.id}", f"  the folder: {difference.folder}", f"  the target: {difference.target}"]
    lines += [f"  {line}" for statement in difference.sql for line in f"{statement};".split("\n")]
    return [*lines, f"  → {difference.caution}"] if difference.caution else lines


async def told_on_terminal(done: int, total: int, name: str) -> None:
    """How far the replay is, on one line that is written over; nothing where nobody would see it."""
    if sys.stderr.isatty():
        text = one_line(f"replaying {done + 1} of {total}  {name}")[:78]
        sys.stderr.write(f"\r{text:<78}" + ("\r\x1b[K" if done + 1 == total else ""))
        sys.stderr.flush()
