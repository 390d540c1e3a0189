"""Commands that must never run on a protected target: found in run blocks, and in what those call.

`migrate dev`, `migrate reset`, `db push` and `db execute` of Prisma; and seeding, outside of a first run.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from migrations.problem import Problem
from runbooks.forbidden.judged import Found
from runbooks.forbidden.search import Search
from runbooks.session.references import env_named
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


def faults_of(runbook: Runbook, folder: Path, values: Mapping[str, str]) -> Iterator[Fault]:
    """What must not stand in a runbook for a protected target, each with its line in the document.

    `values` are those of the environment, which hold commands, too.
    """
    search = Search(folder)
    for step in runbook.steps():
        for found in _refused(step, _found(search, step, values)):
            yield Fault(step.line + 1 + found.line, f"{found.words} on a protected target", _instead(found))


def check_commands(runbook: Runbook, name: str, folder: Path, values: Mapping[str, str]) -> None:
    """Raises DocumentError with all of them. `name` is what the document is called."""
    if faults := list(faults_of(runbook, folder, values)):
        raise DocumentError(name, faults)


def must_be_allowed(step: Step, folder: Path, values: Mapping[str, str]) -> bool:
    """Whether this step seeds, as it may in a first run. Raises Problem if it would run what it must not."""
    found = tuple(_found(Search(folder), step, values))
    if refused := list(_refused(step, found)):
        raise Problem(
            f"This target is protected, and {refused[0].words} here: nothing was run.",
            advice=f"Expected: {_instead(refused[0])}.",
        )
    return any(one.seeds for one in found)


def _found(search: Search, step: Step, values: Mapping[str, str]) -> Iterator[Found]:
    """In the block itself, and in the values of the environment that it names."""
    script = _script(step)
    yield from search.found(script)
    for variable, text in env_named(script, values).items():
        line = script[: script.index(variable)].count("\n")
        for one in search.found(text):
            yield replace(one, line=line, through=(f"${variable}", *one.through))


def _script(step: Step) -> str:
    script = step.params.get("script") if step.uses == SHELL else None
    return script if isinstance(script, str) else ""


def _refused(step: Step, found: Iterable[Found]) -> Iterator[Found]:
    return (one for one in found if not (one.seeds and step.when == FIRST_RUN))


def _instead(found: Found) -> str:
    return SEEDING if found.seeds else INSTEAD
