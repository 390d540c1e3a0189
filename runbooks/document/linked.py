"""What steps and items of a document name of each other, once all of them are known."""

from collections.abc import Iterable, Iterator, Sequence

from runbooks.document.sections import Part
from runbooks.session.runbook import BACKFILL, FollowUp, Item, Step
from runbooks.session.touched import AFTERWARDS
from runbooks.settings.faults import Faults
from runbooks.settings.nearest import one_of


def check_linked(parts: Sequence[Part], faults: Faults) -> None:
    """Note each `undo` that cannot be, each proof that cannot come, and what touches tables before they are altered.

    And what stands under a condition that no step of the document can bring about.
    """
    steps = {step.id: step for step in _steps(parts)}
    for step in steps.values():
        if step.undo and (fault := _undo_fault(step, steps)):
            faults.add(step.line, f'`undo = "{step.undo}"` {fault[0]}', fault[1])

    for part in parts:
        ones: list[Step | Item] = [*part.steps, *part.items]
        for one in ones if part.title.lower() not in AFTERWARDS and part.sort != "unknown" else ():
            if one.touches:
                what = f"`touches` of {one.id} stands where no table is altered"
                faults.add(one.line, what, "it in Verify, Deploy or Smoke")
    _check_filling(parts, steps.values(), faults)
    for number, part in enumerate(parts):
        before = parts[:number] if part.sort == "phase" else [one for one in parts if one.sort == "phase"]
        there = {step.id: step for step in _steps([*before, part])}
        for item in part.items:
            if item.proved_by and (fault := _proof_fault(item, there, steps)):
                faults.add(item.line, f"`proved_by={item.proved_by}` {fault[0]}", fault[1])


def _check_filling(parts: Sequence[Part], steps: Iterable[Step], faults: Faults) -> None:
    under: list[Step | Item | FollowUp] = []
    for part in parts:
        under += [one for one in part.steps if one.when == BACKFILL]
        under += [one for one in part.items if one.when == BACKFILL]
        under += [one for one in part.follow_ups if one.when == BACKFILL]
    if under and not any(step.backfills for step in steps):
        what = f"`When {BACKFILL}` can never hold: no step here fills in rows"
        faults.add(under[0].line, what, f"a step or run block with the id `{BACKFILL}`, or `{BACKFILL}-…`")


def _proof_fault(item: Item, there: dict[str, Step], steps: dict[str, Step]) -> tuple[str, str] | None:
    step = there.get(item.proved_by)
    if step is None and item.proved_by in steps:
        return "names a step that comes later", "one of this phase, or of one before it"
    if step is None:
        return "names no step", one_of(item.proved_by, there) if there else "the id of a step"
    if step.when not in (None, item.when):
        return f"names a step that stands under `When {step.when}` only", "one that is always there, or is so here"
    if item.evidence is not None:
        return "stands beside `evidence`", "one of them: a person writes evidence, and a step needs none"
    return None


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
