"""A runbook as one session walks it: as far as a migration that was named, and with pauses, if that was asked for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from migrations.problem import Misuse
from runbooks.document.params import in_words
from runbooks.planning.planning import APPLY, engine_of
from runbooks.session.frozen import Frozen
from runbooks.session.references import referring
from runbooks.session.runbook import Phase, Runbook, Step
from runbooks.settings.nearest import nearest

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind


class Narrowing(Frozen):
    """What a person asked for when the session was begun. `to`: the last migration; `pause`: between transactions."""

    to: str = ""
    pause: bool = False


WHOLE = Narrowing()


def check_narrowing(runbook: Runbook, names: Sequence[str] | None, narrowing: Narrowing) -> None:
    """Raises Misuse if a session cannot be narrowed so. `names` are the migrations on disk, in order, if known."""
    to, pause = narrowing.to, narrowing.pause
    if narrowing == WHOLE:
        return
    if not any(step.uses == APPLY for step in runbook.steps()):
        raise Misuse("This runbook applies no migrations.", advice="Leave --to and --step away.")
    if pause and engine_of(runbook) != "native":
        raise Misuse("Prisma's own command cannot be paused between transactions.", advice="Leave --step away.")
    if not to or names is None:
        return
    if to not in names:
        near = nearest(to, names)
        raise Misuse(f"There is no migration {to}.", advice=f"Did you mean {near}?" if near else "Name one on disk.")
    for written in (step.params.get("to") for step in runbook.steps() if step.uses == APPLY):
        if isinstance(written, str) and written in names and names.index(written) < names.index(to):
            raise Misuse(f"The runbook goes only as far as {written}.", advice=f"{to} comes after it.")


def narrowed(runbook: Runbook, catalogue: "Mapping[str, StepKind[Any, Any]]", narrowing: Narrowing) -> Runbook:
    """The same runbook, whose steps apply migrations no further, and pause between transactions."""
    said: dict[str, JsonValue] = narrowing.model_dump(exclude_defaults=True)

    def step(one: Step) -> Step:
        if one.uses != APPLY or not said:
            return one
        params = {**one.params, **said}
        shows = one.shows if referring(params) else in_words(catalogue[APPLY], params)
        return one.model_copy(update={"params": params, "shows": shows})

    def phase(one: Phase) -> Phase:
        return one.model_copy(update={"steps": tuple(map(step, one.steps))})

    return runbook.model_copy(update={"phases": tuple(map(phase, runbook.phases))})


def pauses(runbook: Runbook) -> bool:
    """Whether somebody must be there to say, between transactions, whether to go on."""
    return any(step.params.get("pause") is True for step in runbook.steps() if step.uses == APPLY)
