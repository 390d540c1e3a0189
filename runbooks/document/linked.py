"""What steps and items of a document name of each other, once all of them are known."""

from collections.abc import Iterator, Sequence

from runbooks.document.sections import Part
from runbooks.session.runbook import Step
from runbooks.settings.faults import Faults
from runbooks.settings.nearest import one_of


def check_linked(parts: Sequence[Part], faults: Faults) -> None:
    """Note each `undo` that names no step, or one that could not undo."""
    steps = {step.id: step for step in _steps(parts)}
    for step in steps.values():
        if step.undo and (fault := _undo_fault(step, steps)):
            faults.add(step.line, f'`undo = "{step.undo}"` {fault[0]}', fault[1])


def _steps(parts: Sequence[Part]) -> Iterator[Step]:
    return (step for part in parts for step in part.steps)


def _undo_fault(step: Step, steps: dict[str, Step]) -> tuple[str, str] | None:
    undo = steps.get(step.undo)
    if undo is None:
        others = [name for name in steps if name != step.id]
        return "names no step", one_of(step.undo, others) if others else "the id of a step"
    if undo.id == step.id:
        return "names the step itself", "the step that undoes it"
    if undo.undo:
        return "names a step that has an `undo` of its own", "a step that brings things back as they were"
    if "reads" in (step.effect, undo.effect):
        return "stands where a step only reads", "two steps that change something"
    if undo.when not in (None, step.when):
        return f"names a step that stands under `When {undo.when}` only", "one that is always there, or is so here"
    return None
