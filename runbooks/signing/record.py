"""What the journal says of its own signatures: progress of a step that no runbook has."""

from typing import Literal

from pydantic import ValidationError

from runbooks.session.events import SIGNING, StepProgress
from runbooks.session.frozen import Frozen


class Signed(Frozen):
    """Record `record` was signed with a key; whose it is, is known to whoever has a file of signers."""

    sort: Literal["signed"] = "signed"
    record: int
    why: str
    key: str


class Unsigned(Frozen):
    """Record `record` was to be signed, and was not."""

    sort: Literal["unsigned"] = "unsigned"
    record: int
    why: str
    reason: str


def progress(said: Signed | Unsigned) -> StepProgress:
    """As the journal keeps it."""
    words = f"record {said.record} signed" if isinstance(said, Signed) else f"not signed: {said.reason}"
    return StepProgress(step=SIGNING, attempt=1, data={"label": words, **said.model_dump(mode="json")})


def said_by(event: object) -> Signed | Unsigned | None:
    """What an event says of a signature, if it does."""
    if not isinstance(event, StepProgress) or event.step != SIGNING:
        return None
    data = {key: value for key, value in event.data.items() if key != "label"}
    try:
        return (Signed if data.get("sort") == "signed" else Unsigned).model_validate(data)
    except ValidationError:
        return None
