"""What undoes the scripts of a plan, in lines of plain text: for a ticket, and for a step's output."""

from collections.abc import Iterator

from migrations.folder import ROLLBACK, ROLLBACK_TEXT
from runbooks.session import events as e


def rollback_lines(plan: e.PlanMade) -> Iterator[str]:
    """Each pending script that loses data or has a way back beside it: the text, and what the reverse script does."""
    for script in plan.scripts:
        if script.rollback is not None or script.loses_data:
            yield f"{script.migration}{' (loses data)' if script.loses_data else ''} is undone by"
            yield from (f"  {line}".rstrip() for line in undone_by(script.rollback))


def undone_by(rollback: e.Rollback | None) -> Iterator[str]:
    """The same of one script, without its name."""
    if rollback is None:
        yield f"nothing that is written down: no {ROLLBACK_TEXT}, no {ROLLBACK}"
        return
    yield from (f"cannot be used: {words}" for words in rollback.wrong)
    if rollback.text:
        yield f"{ROLLBACK_TEXT}, SHA-256 {rollback.text_sha256}"
        yield from (f"  {line}" for line in rollback.text.splitlines())
    if (undo := rollback.script) is not None:
        yield f"{ROLLBACK}, SHA-256 {undo.sha256}"
        yield from (f"  line {one.line}: {one.summary}" for one in undo.statements)
        yield from (f"  {f.severity} {f.rule}, line {f.line}: {f.message}" for f in undo.findings)
