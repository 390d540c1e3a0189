"""Parameters of a step, held against what the step takes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, get_args

from pydantic import JsonValue, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from runbooks.session.references import referring
from runbooks.settings.faults import Faults

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind

# What the journal's canonical JSON can hold exactly.
LARGEST = 2**53 - 1

LineOf = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters as they are written, and the step that takes them. `others` are keys that every step has."""

    kind: "StepKind[Any, Any]"
    values: Mapping[str, JsonValue]
    others: tuple[str, ...]

    @property
    def fields(self) -> dict[str, FieldInfo]:
        """What the step takes, by the name that a document writes."""
        return {info.alias or name: info for name, info in self.kind.params.model_fields.items()}


def flat(table: Mapping[str, Any], faults: Faults, line_of: LineOf) -> dict[str, JsonValue]:
    """The values of a table that a journal can hold; the others are noted and left out."""
    kept = dict[str, JsonValue]()
    for key, value in table.items():
        if fault := _value_fault(value):
            faults.add(line_of(key), f"`{key}` holds {fault[0]}", fault[1])
        else:
            kept[key] = value
    return kept


def check_params(params: Params, faults: Faults, line_of: LineOf) -> str:
    """Note what the step does not take; return its parameters in words."""
    try:
        return in_words(params.kind, params.values)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            _note(detail, params, faults, line_of)
    except ValueError as error:
        faults.add(line_of(""), f"the parameters cannot be shown: {error}")
    return _written(params.values)


def in_words(kind: "StepKind[Any, Any]", values: Mapping[str, JsonValue]) -> str:
    """Parameters as they are put before the operator. Raises ValueError for what the step does not take."""
    valid = kind.params.model_validate_json(json.dumps(values), strict=True)
    return kind.shows(valid) or _written(values)


def _written(values: Mapping[str, JsonValue]) -> str:
    return ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())


def _note(detail: ErrorDetails, params: Params, faults: Faults, line_of: LineOf) -> None:
    fields = params.fields
    key = str(detail["loc"][0]) if detail["loc"] else ""
    where = ".".join(str(part) for part in detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        faults.unknown(line_of(key), "key", key, [*fields, *params.others])
    elif detail["type"] == "missing" and len(detail["loc"]) == 1:
        faults.add(line_of(""), f"`{key}` is missing", f"`{key} = …`")
    elif key not in fields:
        faults.add(line_of(""), f"the parameters do not go together: {message}")
    elif key not in referring(params.values):
        faults.add(line_of(key), f"`{where}` is not right: {message[:1].lower()}{message[1:]}")
    elif not _takes_text(fields[key].annotation):
        faults.add(line_of(key), f"`{key}` takes no `${{…}}`, since it is not a text", "the value itself")


def _takes_text(annotation: Any) -> bool:
    return annotation is str or any(_takes_text(inner) for inner in get_args(annotation))


def _value_fault(value: object) -> tuple[str, str] | None:
    match value:
        case bool() | str():
            return None
        case int():
            return None if abs(value) <= LARGEST else ("a number over 2^53", "the number in quotes")
        case float():
            return "a number with a fraction", "a whole number, a smaller unit, or the number in quotes"
        case datetime() | date() | time():
            return "a date", "the date in quotes"
        case list():
            return next((fault for item in value if (fault := _value_fault(item))), None)
        case dict():
            return next((fault for item in value.values() if (fault := _value_fault(item))), None)
        case _:
            return "something that is neither text, number, list nor table", "a text in quotes"
