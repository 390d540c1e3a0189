"""A URL, and what a good answer from it is."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field, JsonValue, field_validator

from migrations.problem import Misuse
from runbooks.session.frozen import Frozen
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.http_call import Answer, check_url, contains, shown

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_PASSWORD = re.compile(r"(://[^/@:]*):[^/@]*(?=@)")


class Expected(Frozen):
    """`json` must be contained in the answer, `contains` in its text. `timeout` is for one answer."""

    url: str
    status: int = Field(default=200, ge=100, le=599)
    json_: JsonValue = Field(default=None, alias="json")
    contains: str | None = None
    timeout: Duration = timedelta(seconds=5)
    headers: dict[str, str] = {}

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if "${" not in url:
            check_url(url)
        return url

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        if fault := _wrong_header(headers):
            raise ValueError(fault)
        return headers

    def wrong(self, answer: Answer) -> list[tuple[str, str]]:
        """What is not as expected, by check: `status`, `contains`, `json`."""
        wrong = []
        if answer.status != self.status:
            wrong.append(("status", f"{answer.status} {answer.reason}".rstrip() + f", not {self.status}"))
        if self.contains is not None and self.contains not in answer.text:
            wrong.append(("contains", f"the answer does not contain {self.contains!r}"))
        if self.json_ is not None and (words := _json(self.json_, answer)):
            wrong.append(("json", words))
        return wrong

    @property
    def wanted(self) -> str:
        """What a good answer is, in words."""
        wants = [f"status {self.status}"]
        wants += [f"text {self.contains!r}"] if self.contains is not None else []
        wants += [f"JSON {json.dumps(self.json_)}"] if self.json_ is not None else []
        return ", ".join(wants)

    @property
    def written(self) -> str:
        """The URL as the document has it, references and all, without its secrets."""
        return _PASSWORD.sub(r"\1", self.url.partition("?")[0]) if "${" in self.url else shown(self.url)

    def where(self, step: str) -> str:
        """The URL that is asked, without its secrets. Raises Misuse for one that is none."""
        try:
            return shown(self.url)
        except ValueError as error:
            raise Misuse(f"{step}: {error}.", advice="Correct it in the runbook, or what it refers to.") from None


def _wrong_header(headers: Mapping[str, str]) -> str | None:
    """Why these cannot be sent; a value may still hold references."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            return f"`{name}` is no name of a header"
        if not value.isascii() or not value.isprintable():
            return f"the header `{name}` holds what cannot be sent"
    return None


def _json(wanted: JsonValue, answer: Answer) -> str | None:
    if answer.cut:
        return "the answer is over 1 MiB, too large to be read as JSON"
    try:
        return contains(json.loads(answer.text), wanted)
    except (ValueError, RecursionError):
        return "the answer is no JSON"
