"""What is told of the places where the head of a journal was noted: progress of a step that no runbook has."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import JsonValue, ValidationError

from runbooks.journal.artefacts import write_private
from runbooks.journal.clocks import Reading
from runbooks.redact import Redactor
from runbooks.session.events import ANCHOR, Check, StepProgress
from runbooks.session.frozen import Frozen

NAME = "end-noted.json"


class Noted(Frozen):
    """What came of noting record `record`: a check for each place, and the server's clock where it was read."""

    why: str
    record: int
    head: str
    checks: tuple[Check, ...] = ()
    clock: Reading | None = None

    @property
    def line(self) -> str:
        """The head as `gonogo transcript verify --head` takes it."""
        return f"{self.record}:{self.head}"

    @property
    def places(self) -> tuple[str, ...]:
        """Where it was noted."""
        return tuple(check.title for check in self.checks if check.outcome == "ok" and check.id != "clock")

    @property
    def missed(self) -> str:
        """Where it could not be noted, and why, in one line; empty where nothing went wrong."""
        bad = (check for check in self.lacks if check.outcome == "warn" and check.id != "clock")
        return "; ".join(f"{check.title}: {check.evidence}" for check in bad)

    @property
    def lacks(self) -> tuple[Check, ...]:
        """What did not come to pass, and should have."""
        return tuple(check for check in self.checks if check.outcome != "ok")

    @property
    def words(self) -> list[str]:
        """In lines: the head, and what is lacking."""
        where = f"noted in {', '.join(self.places)}" if self.places else "noted nowhere but here"
        lacks = (f"{check.title}: {check.evidence}" for check in self.lacks)
        return [f"Head {self.line} ({self.why}): {where}", *lacks]


def progress(noted: Noted) -> StepProgress:
    """As the journal keeps it."""
    return StepProgress(step=ANCHOR, attempt=1, data={"label": noted.words[0], **noted.model_dump(mode="json")})


def noted_by(event: object) -> Noted | None:
    """What an event says of a noted head, if it does."""
    return noted_in(event.data) if isinstance(event, StepProgress) and event.step == ANCHOR else None


def noted_in(data: Mapping[str, JsonValue]) -> Noted | None:
    """The same of the data of such progress."""
    try:
        return Noted.model_validate({key: value for key, value in data.items() if key != "label"})
    except ValidationError:
        return None


def keep(folder: Path, late: Iterable[Noted], redactor: Redactor) -> None:
    """Write down what came of it after the last record, secrets taken out. Raises Unavailable."""
    told = [redactor.value(noted.model_dump(mode="json")) for noted in late]
    write_private(folder / NAME, f"{json.dumps(told, indent=2, ensure_ascii=False)}\n".encode())


def kept(folder: Path) -> list[Noted]:
    """The same, read again; nothing where there is no telling."""
    try:
        return [Noted.model_validate(each) for each in json.loads((folder / NAME).read_text())]
    except (OSError, ValueError, TypeError):
        return []
