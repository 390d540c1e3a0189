"""What is taken out of an HTTP answer for later checks: a place in its JSON, or one of its headers."""

import json
import re
from collections.abc import Mapping

from pydantic import JsonValue

from runbooks.redact import SHORTEST
from runbooks.steps.parts.http_call import Answer

NAME = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
HEADER = "header:"

_PATH = re.compile(r"\$(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[\d{1,6}\])+", re.ASCII)
_PART = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_HEADER = re.compile(rf"{HEADER}[A-Za-z0-9-]+", re.ASCII)


def fault_of(capture: Mapping[str, str], public: list[str]) -> str | None:
    """Why this cannot be captured, in words."""
    for name, place in capture.items():
        if not NAME.fullmatch(name):
            return f"`{name}` cannot be named as `${{step.{name}}}`: small letters, digits, - and _"
        if not _PATH.fullmatch(place) and not _HEADER.fullmatch(place):
            return f"`{name}` must be a place such as `$.data.token`, `$.tokens[0]` or `{HEADER}X-Token`"
    unknown = [name for name in public if name not in capture]
    return f"`public` names `{unknown[0]}`, which is not captured" if unknown else None


def captured(capture: Mapping[str, str], answer: Answer) -> dict[str, str]:
    """What the answer has of it, by name. Only single values are taken."""
    try:
        body = json.loads(answer.text) if capture and not answer.cut else None
    except (ValueError, RecursionError):
        body = None
    found = {name: _found(place, body, answer) for name, place in capture.items()}
    return {name: value for name, value in found.items() if value is not None}


def too_short(found: Mapping[str, str], public: list[str]) -> list[str]:
    """The names of secrets that are so short that nothing could be kept free of them."""
    return [name for name, value in found.items() if name not in public and len(value) < SHORTEST]


def _found(place: str, body: JsonValue, answer: Answer) -> str | None:
    if place.startswith(HEADER):
        return answer.headers.get(place.removeprefix(HEADER).lower())
    for part in _PART.finditer(place):
        if part[1] is not None:
            body = body.get(part[1]) if isinstance(body, dict) else None
        else:
            body = body[int(part[2])] if isinstance(body, list) and int(part[2]) < len(body) else None
    if isinstance(body, bool):
        return "true" if body else "false"
    return str(body) if isinstance(body, str | int) else None
