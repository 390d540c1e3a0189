"""What the official schema of SARIF 2.1.0 (OASIS) demands of the objects that gonogo writes.

An extract, object by object: the properties that it allows there (`additionalProperties` is false throughout), their
types, and which must be there. gonogo writes no others.
"""

from collections.abc import Iterator
from typing import Any

LEVEL = ("none", "note", "warning", "error")
MESSAGE = {"text": str, "markdown": str, "id": str, "arguments": [str]}
MULTIFORMAT = {"text!": str, "markdown": str}

REGION = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
ARTIFACT = {"uri": str, "uriBaseId": str, "index": int}
PHYSICAL = {"artifactLocation": ARTIFACT, "region": REGION}
LOCATION = {"id": int, "physicalLocation": PHYSICAL, "message": MESSAGE}
SUPPRESSION = {
    "guid": str,
    "kind!": ("inSource", "external"),
    "status": ("accepted", "underReview", "rejected"),
    "justification": str,
}
RESULT = {
    "ruleId": str,
    "ruleIndex": int,
    "kind": ("notApplicable", "pass", "fail", "review", "open", "informational"),
    "level": LEVEL,
    "message!": MESSAGE,
    "locations": [LOCATION],
    "partialFingerprints": {"*": str},
    "suppressions": [SUPPRESSION],
}
RULE = {
    "id!": str,
    "name": str,
    "shortDescription": MULTIFORMAT,
    "fullDescription": MULTIFORMAT,
    "defaultConfiguration": {"enabled": bool, "level": LEVEL},
    "helpUri": str,
    "help": MULTIFORMAT,
}
DRIVER = {"name!": str, "version": str, "informationUri": str, "rules": [RULE]}
NOTIFICATION = {"message!": MESSAGE, "level": LEVEL}
INVOCATION = {"executionSuccessful!": bool, "exitCode": int, "toolExecutionNotifications": [NOTIFICATION]}
RUN = {
    "tool!": {"driver!": DRIVER},
    "invocations": [INVOCATION],
    "columnKind": ("utf16CodeUnits", "unicodeCodePoints"),
    "results": [RESULT],
}
SARIF = {"$schema": str, "version!": ("2.1.0",), "runs!": [RUN]}


def faults(document: object) -> list[str]:
    """Where a document is not of this shape."""
    return list(_faults(document, SARIF, "$"))


def _faults(value: object, shape: Any, at: str) -> Iterator[str]:
    match shape:
        case dict():
            yield from _object(value, shape, at)
        case list():
            if not isinstance(value, list):
                yield f"{at}: no list"
                return
            for number, entry in enumerate(value):
                yield from _faults(entry, shape[0], f"{at}[{number}]")
        case tuple():
            if value not in shape:
                yield f"{at}: {value!r} is none of {shape}"
        case int() if not isinstance(shape, bool):
            if not isinstance(value, int) or value < shape:
                yield f"{at}: {value!r} is not {shape} or more"
        case _:
            if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
                yield f"{at}: {value!r} is no {shape.__name__}"


def _object(value: object, shape: dict[str, Any], at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: no object"
        return
    known = {name.removesuffix("!"): inner for name, inner in shape.items()}
    for name in (name.removesuffix("!") for name in shape if name.endswith("!")):
        if name not in value:
            yield f"{at}: no {name}"
    if shape is MESSAGE and not {"text", "id"} & set(value):
        yield f"{at}: neither text nor id"
    for name, inner in value.items():
        if name in known or "*" in known:
            yield from _faults(inner, known.get(name, known.get("*")), f"{at}.{name}")
        else:
            yield f"{at}: {name} is not known"
