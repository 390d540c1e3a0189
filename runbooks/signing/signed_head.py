"""The small text that is signed in a session: which record of which session, and its hash."""

import re
from dataclasses import dataclass, fields
from datetime import datetime

from runbooks.session.events import SessionOpened
from runbooks.signing.sshsig import BadSignature

TITLE = "gonogo: the head of a session's journal"
AFTERWARDS = "afterwards"
LONGEST = 16 * 1024
_FORM = {
    "record": r"0|[1-9]\d{0,14}",
    "head": "[0-9a-f]{64}",
    "why": "[a-z][a-z0-9-]{0,40}",
    "signed": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
}


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What a signature in a session folder is of. `signed` is when, RFC 3339 UTC, as the signer's machine had it.

    `why`: `opening`, `plan`, `go-PHASE`, `resume` or `end` while the session ran; `afterwards` later.
    """

    session: str
    environment: str
    ticket: str
    operator: str
    record: str
    head: str
    why: str
    signed: str

    @classmethod
    def of(cls, opened: SessionOpened, seq: int, head: str, why: str, signed: str) -> "SignedHead":
        """The text for one record of a session."""
        return cls(
            _one_line(opened.session),
            _one_line(opened.environment),
            _one_line(opened.ticket),
            _one_line(opened.operator.name),
            str(seq),
            head,
            why,
            signed,
        )

    @property
    def seq(self) -> int:
        """The number of the record."""
        return int(self.record)

    @property
    def name(self) -> str:
        """How its files are called, without their endings."""
        return f"{self.seq:06d}-{self.why}"

    def text(self) -> bytes:
        """The exact bytes that are signed."""
        lines = [TITLE, *(f"{field.name}: {getattr(self, field.name)}" for field in fields(self))]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def read_signed_head(text: bytes) -> SignedHead:
    """What a signed text says. Raises BadSignature if it is no such text to the byte."""
    try:
        first, *lines = text.decode("utf-8").split("\n") if len(text) <= LONGEST else [""]
        said = dict(line.split(": ", 1) for line in lines if line)
        head = SignedHead(**said)
        for name, form in _FORM.items():
            if not re.fullmatch(form, said[name], re.ASCII):
                raise ValueError(name)
        datetime.fromisoformat(head.signed)
        if any(_one_line(value) != value for value in said.values()):
            raise ValueError("other signs")
        if first != TITLE or head.text() != text:
            raise ValueError("other bytes")
    except (ValueError, TypeError, KeyError):
        raise BadSignature("The signed text is not that of a session's head.") from None
    return head


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split()) or "-"
