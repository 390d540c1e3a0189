"""A runbook as it is put before the operator of one environment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from runbooks.document.params import in_words
from runbooks.session.references import LITERAL, env_named, referring, resolve_values
from runbooks.session.runbook import Runbook, Section, Step

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind

S = TypeVar("S", bound=Section)


def told_for(runbook: Runbook, values: Mapping[str, str], catalogue: "Mapping[str, StepKind[Any, Any]]") -> Runbook:
    """The same runbook; what its steps show holds the environment's values. Parameters stay as they are written."""

    def step(one: Step) -> Step:
        script = one.params.get(LITERAL)
        if isinstance(script, str):
            held = [f"{name} is: {text}" for name, text in env_named(script, values).items()]
            return one.model_copy(update={"shows": "\n".join([one.shows, *held])})
        kind = catalogue.get(one.uses)
        if kind is None or not referring(one.params):
            return one
        try:
            return one.model_copy(update={"shows": in_words(kind, resolve_values(one.params, values))})
        except ValueError:  # with these values it will fail, in words of its own, when it runs
            return one

    def section(one: S) -> S:
        return one.model_copy(update={"steps": tuple(map(step, one.steps))})

    phases, options = tuple(map(section, runbook.phases)), tuple(map(section, runbook.options))
    return runbook.model_copy(update={"phases": phases, "options": options})
