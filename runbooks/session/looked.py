"""What came of a look at an environment's logs: progress of a step that no runbook has."""

from collections.abc import Mapping
from typing import Literal

from pydantic import JsonValue, ValidationError

from runbooks.session.frozen import Frozen

LOGS = "logs"
"""The step under which looks at logs are told. No runbook has one of that name."""


class OneLog(Frozen):
    """One of them: an address to open, or what its command said: `path` is where its last lines are kept.

    `wrong` is why there are none, or why there may be more; `tail` are the last of the lines.
    """

    name: str
    url: str = ""
    path: str = ""
    lines: int = 0
    tail: tuple[str, ...] = ()
    wrong: str = ""

    @property
    def words(self) -> str:
        """In one line."""
        if self.url:
            return f"{self.name}: {self.url}"
        kept = f"the last {self.lines} lines in {self.path}" if self.lines > 1 else f"1 line in {self.path}"
        return f"{self.name}: " + "; ".join(part for part in (kept if self.lines else "", self.wrong) if part)


class Looked(Frozen):
    """The look of that number: since an attempt of a step failed, or since somebody asked."""

    number: int
    why: Literal["failed", "asked"]
    step: str = ""
    attempt: int = 0
    by: str = ""
    logs: tuple[OneLog, ...] = ()

    @property
    def cause(self) -> str:
        """Why, in words."""
        return f"{self.step} failed" if self.why == "failed" else f"{self.by} asked for them"


def data_of(looked: Looked) -> dict[str, JsonValue]:
    """As the journal keeps it."""
    return {"label": f"logs, since {looked.cause}", **looked.model_dump(mode="json")}


def looked_in(step: str, data: Mapping[str, JsonValue]) -> Looked | None:
    """What progress says of a look, if it does."""
    if step != LOGS:
        return None
    try:
        return Looked.model_validate({key: value for key, value in data.items() if key != "label"})
    except ValidationError:
        return None
