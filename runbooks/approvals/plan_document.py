"""The plan as a file that travels: what would run where, for which ticket, asked for by whom, until when."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self, TypeVar

import rfc8785
from pydantic import Field, ValidationError

from migrations.problem import Misuse
from runbooks.planning.planning import Covered
from runbooks.session import events as e
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import Condition

FORMAT: Literal["gonogo plan 1"] = "gonogo plan 1"
LONGEST = timedelta(days=30)
"""A plan holds for no longer than that."""
LARGEST = 16 * 1024 * 1024

M = TypeVar("M", bound=Frozen)
_MADE_BY = {"PlanDocument": ("plan", "plan"), "ApprovalDocument": ("approval", "approve")}


class Found(Frozen):
    """A finding as it was weighed on the target, and the migration that it is about."""

    migration: str
    finding: e.Finding


class GivenAnswers(Frozen):
    """The answers file by which the plan may be run unattended, whole: what stands in it is approved with the plan."""

    file: str
    text: str

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class PlanDocument(Frozen):
    """One plan. `plan` is its hash, `covers` all that the hash covers; `number` can be spent once.

    Times are RFC 3339 UTC, by the clock of the target's server. `to`: the last migration that was asked for.
    `found` and `tables` are what the target told; an approver elsewhere cannot compute them.
    """

    format: Literal["gonogo plan 1"] = FORMAT
    gonogo: str
    project: str
    environment: str
    protected: bool
    plan: str
    covers: Covered
    runner: e.Runner | None = None
    to: str = ""
    held_back: tuple[str, ...] = ()
    address: str
    server_version: str
    conditions: dict[Condition, tuple[str, ...]] = {}
    found: tuple[Found, ...] = ()
    tables: tuple[e.Table, ...] = ()
    ticket: str
    requester: e.By
    number: str
    created_at: str
    expires_at: str
    git: e.Git | None = None
    answers: GivenAnswers | None = Field(default=None, exclude_if=lambda answers: answers is None)

    @property
    def text(self) -> bytes:
        """Its RFC 8785 bytes: what is signed."""
        return canonical(self)

    @property
    def sha256(self) -> str:
        """What an approval names it by."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def short(self) -> str:
        """The beginning of the plan's hash, as it is read out and typed."""
        return self.plan[:8]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The document in a file. Raises Misuse if it is none, or is not what its own hash says."""
        return cls.of(read_file(path), path.name)

    @classmethod
    def of(cls, text: bytes, name: str) -> Self:
        """The document that these bytes are; `name` is what they are called. Raises Misuse."""
        document = parsed(cls, text, name)
        if document.covers.hash != document.plan:
            raise Misuse(f"{name}: the plan's hash is not that of what it covers.", advice="Ask for the file anew.")
        if not (moment(document.created_at) and moment(document.expires_at)):
            raise Misuse(f"{name}: its times are not RFC 3339.", advice="Ask for the file anew.")
        return document


def canonical(model: Frozen) -> bytes:
    """The RFC 8785 bytes of a model."""
    return rfc8785.dumps(model.model_dump(mode="json"))


def read_file(path: Path) -> bytes:
    """The bytes of a document, without its last line feed. Raises Misuse."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}.", advice="Check the name.") from None
    if len(text) > LARGEST:
        raise Misuse(f"{path} is larger than any plan.", advice="Check the name.")
    return text


def parsed(kind: type[M], text: bytes, name: str) -> M:
    """The model that canonical bytes are. Raises Misuse for anything else, another spelling of the same too."""
    try:
        model = kind.model_validate(json.loads(text))
        same = canonical(model) == text
    except (ValueError, ValidationError, RecursionError, rfc8785.CanonicalizationError):
        what, command = _MADE_BY[kind.__name__]
        raise Misuse(f"{name} is no {what} of this gonogo.", advice=f"`gonogo {command}` writes them.") from None
    if not same:
        raise Misuse(f"{name} was written anew: its bytes are not canonical.", advice="Send the file as it was made.")
    return model


def given_answers(path: Path) -> GivenAnswers:
    """An answers file as a plan holds it. Raises Misuse."""
    try:
        return GivenAnswers(file=path.name, text=read_file(path).decode())
    except UnicodeDecodeError:
        raise Misuse(f"{path} is not UTF-8.", advice="Check --answers.") from None


def moment(text: str) -> datetime | None:
    """A time, or None where the text is none with a zone."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def stamped(at: datetime) -> str:
    """A time as it is written: RFC 3339 UTC, whole seconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
