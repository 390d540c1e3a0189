"""Commands that must never run on a protected target: found in run blocks, and in what those call.

`migrate dev`, `migrate reset`, `db push` and `db execute` of Prisma; and seeding, outside of a first run.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from migrations.problem import Problem
from runbooks.forbidden.judged import Found
from runbooks.forbidden.search import Search
from runbooks.session.runbook import Runbook, Step
from runbooks.settings.faults import DocumentError, Fault

__all__ = ["FIRST_RUN", "SHELL", "Found", "check_commands", "faults_of", "forbidden_in", "must_be_allowed"]

SHELL = "shell"
FIRST_RUN = "first_run"
INSTEAD = "the reviewed migrations, by `migrations.apply`; such commands belong to development"
SEEDING = "seeding under `### When first_run` alone"


def forbidden_in(script: str, folder: Path) -> tuple[Found, ...]:
    """What a run block in the folder of gonogo.toml would run of it, as far as that can be read, in order."""
    return tuple(Search(folder).found(script))


def faults_of(runbook: Runbook, folder: Path) -> Iterator[Fault]:
    """What must not stand in a runbook for a protected target, each with its line in the document."""
    search = Search(folder)
    for step in runbook.steps():
        for found in _refused(step, search.found(_script(step))):
            yield Fault(step.line + 1 + found.line, f"{found.words} on a protected target", _instead(found))


def check_commands(runbook: Runbook, name: str, folder: Path) -> None:
    """Raises DocumentError with all of them. `name` is what the document is called."""
    if faults := list(faults_of(runbook, folder)):
        raise DocumentError(name, faults)


def must_be_allowed(step: Step, folder: Path) -> bool:
    """Whether this step seeds, as it may in a first run. Raises Problem if it would run what it must not."""
    found = forbidden_in(_script(step), folder)
    if refused := list(_refused(step, found)):
        raise Problem(
            f"This target is protected, and {refused[0].words} here: nothing was run.",
            advice=f"Expected: {_instead(refused[0])}.",
        )
    return any(one.seeds for one in found)


def _script(step: Step) -> str:
    script = step.params.get("script") if step.uses == SHELL else None
    return script if isinstance(script, str) else ""


def _refused(step: Step, found: Iterable[Found]) -> Iterator[Found]:
    return (one for one in found if not (one.seeds and step.when == FIRST_RUN))


def _instead(found: Found) -> str:
    return SEEDING if found.seeds else INSTEAD
