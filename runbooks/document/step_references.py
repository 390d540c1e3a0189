"""Whether what a parameter refers to will be there when its step runs."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, JsonValue

from runbooks.session.references import ENVIRONMENT, SECRET, VALID, referring
from runbooks.session.runbook import Condition, Step
from runbooks.settings.faults import Faults
from runbooks.settings.nearest import one_of

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind


def check_references(
    params: Mapping[str, JsonValue],
    when: Condition | None,
    earlier: "Mapping[str, tuple[Step, StepKind[Any, Any] | None]]",
    faults: Faults,
    line_of: Callable[[str], int],
) -> None:
    """Note each reference that is misspelt, or that names what may not have run. `earlier`: steps by their ids."""
    for key, written in referring(params).items():
        for text in written:
            if fault := _fault(text, when, earlier):
                faults.add(line_of(key), f"`${{{text}}}` {fault[0]}", fault[1])


def check_names(
    kind: "StepKind[Any, Any]",
    params: Mapping[str, JsonValue],
    earlier: Collection[str],
    faults: Faults,
    line_of: Callable[[str], int],
) -> None:
    """Note each parameter that names a step which does not stand earlier."""
    for key in kind.names:
        name = params.get(key)
        if isinstance(name, str) and name not in earlier:
            faults.add(line_of(key), f"`{key}` names no earlier step `{name}`", one_of(name, earlier))


def _fault(
    text: str, when: Condition | None, earlier: "Mapping[str, tuple[Step, StepKind[Any, Any] | None]]"
) -> tuple[str, str] | None:
    match = VALID.fullmatch(text)
    if match is None:
        return "is not understood", "`${step.key}`, `${env.key}` or `${secret.NAME}`"
    name, key = match.groups()
    if name in (ENVIRONMENT, SECRET):
        return None
    if name not in earlier:
        return f"names no earlier step `{name}`", one_of(name, [ENVIRONMENT, SECRET, *earlier])
    step, kind = earlier[name]
    if step.when not in (None, when):
        return f"names a step that runs only under `When {step.when}`", "a step that has always run before this one"
    keys = _result_keys(kind) if kind else None
    captured = step.params.get("capture")
    keys = [*keys, *captured] if keys is not None and isinstance(captured, dict) else keys
    return (f"names no result of `{name}`", one_of(key, keys)) if keys is not None and key not in keys else None


def _result_keys(kind: "StepKind[Any, Any]") -> list[str] | None:
    """The keys that a step's result will have; None where its `run` does not say."""
    try:
        returns = get_type_hints(kind.run).get("return")
    except NameError:
        return None
    return list(returns.model_fields) if isinstance(returns, type) and issubclass(returns, BaseModel) else None
