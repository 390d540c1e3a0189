"""One line of the journal: its exact bytes, and the chain that each line continues. See docs/journal.md."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

import rfc8785
from pydantic import BaseModel, ValidationError

from migrations.problem import Problem
from runbooks.session.events import FORMAT, Event, SessionEnded, SessionOpened

ZEROS = "0" * 64
MAX_DEPTH = 64
MAX_LINE = 64 * 1024 * 1024
"""A line holds at most this many bytes, its line feed included, so that a reader's memory is bounded."""

FIELDS = {"seq", "at", "kind", "data", "prev", "hash"}
_INT_LIMIT = 2**53
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BEYOND = re.compile("[\ue000-\U0010ffff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
_UNION, _ = get_args(Event)
KINDS: dict[str, type[BaseModel]] = {model.model_fields["kind"].default: model for model in get_args(_UNION)}


@dataclass(frozen=True, slots=True)
class Record:
    """A line that holds. `at` is RFC 3339 UTC with microseconds; `hash` and `prev` are SHA-256 in lower hex."""

    seq: int
    at: str
    event: Event
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line that does not hold. `line` counts from 1; `seq` is the record that should stand there.

    `offset`: the byte of the file at which the line begins, from 0.
    """

    line: int
    seq: int
    what: str
    offset: int = 0


class BadRecord(Problem):
    """A line of a journal does not hold; `fault` says which one, and why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(
            f"Record {fault.seq} of the journal (line {fault.line}) does not hold: {fault.what}.",
            advice="Keep the file as it is: it was changed or damaged after it was written.",
        )
        self.fault = fault


class _Bad(Exception):
    pass


def stamp(moment: datetime) -> str:
    """A moment as the journal writes it. Raises ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def encode(seq: int, at: str, event: Event, prev: str) -> tuple[bytes, str]:
    """The line of a record, with its line feed, and its hash.

    Lone surrogates become U+FFFD. Raises ValueError for floats, integers from 2**53 on, more than `MAX_DEPTH`
    levels, and more than `MAX_LINE` bytes.
    """
    data = event.model_dump(mode="json", exclude={"kind"})
    try:
        _judge(data)
        canonical = _canonical(data)
    except _Bad as bad:
        raise ValueError(f"{event.kind} cannot be recorded: {bad}") from None
    digest = hashlib.sha256(_frame(seq, at, event.kind, canonical, prev)).hexdigest()
    line = _frame(seq, at, event.kind, canonical, prev, digest) + b"\n"
    if len(line) > MAX_LINE:
        raise ValueError(f"{event.kind} cannot be recorded: {len(line)} bytes, and a line holds {MAX_LINE}")
    return line, digest


def _canonical(data: object) -> bytes:
    try:
        return canonical(data)
    except UnicodeEncodeError:
        return canonical(_scrubbed(data))


def canonical(data: Any) -> bytes:
    """The form of RFC 8785 of what `_judge` has let through. Raises UnicodeEncodeError for a lone surrogate.

    `json` writes it several times as fast, and orders names otherwise only where one has a character from U+E000 on.
    """
    text = _ENCODER.encode(data)
    encoded = text.encode()
    return rfc8785.dumps(data) if _BEYOND.search(text) else encoded


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case list():
            return [_scrubbed(each) for each in value]
        case dict():
            return {_scrubbed(key): _scrubbed(each) for key, each in value.items()}
        case _:
            return value


def _judge(value: object, depth: int = 1) -> None:
    """Refuse what the journal's JSON does not have."""
    match value:
        case float():
            raise _Bad("it holds a number with a fraction or an exponent")
        case int() if abs(value) >= _INT_LIMIT:
            raise _Bad("it holds an integer of 2^53 or more")
        case dict() | list() if depth > MAX_DEPTH:
            raise _Bad(f"it is nested more than {MAX_DEPTH} levels deep")
        case dict():
            for each in value.values():
                _judge(each, depth + 1)
        case list():
            for each in value:
                _judge(each, depth + 1)


def _frame(seq: int, at: str, kind: str, data: bytes, prev: str, digest: str | None = None) -> bytes:
    """The canonical record around canonical data: RFC 8785 orders the keys as they stand here."""
    own = f'"hash":"{digest}",' if digest is not None else ""
    return b'{"at":"%s","data":%s,%s"kind":"%s","prev":"%s","seq":%d}' % (
        at.encode(),
        data,
        own.encode(),
        kind.encode(),
        prev.encode(),
        seq,
    )


class Chain:
    """Takes line after line, and raises `BadRecord` at the first that does not continue the one before.

    With `seq`, it begins at that record, at byte `offset`, and trusts what it says of the one before it.
    """

    def __init__(self, seq: int = 0, offset: int = 0) -> None:
        self.seq = seq
        self.offset = offset
        self.head: str | None = None if seq else ZEROS
        self.ended = False

    def take(self, line: bytes) -> Record:
        """The record of a line; `line` includes its line feed."""
        try:
            record = self._read(line)
        except _Bad as bad:
            raise BadRecord(Fault(self.seq + 1, self.seq, str(bad), self.offset)) from None
        self.seq += 1
        self.offset += len(line)
        self.head = record.hash
        self.ended = isinstance(record.event, SessionEnded)
        return record

    def _read(self, line: bytes) -> Record:
        if self.ended:
            raise _Bad("it stands after the end of the session")
        if len(line) > MAX_LINE:
            raise _Bad(f"it is longer than {MAX_LINE} bytes")
        raw = _parsed(line)
        canonical = _canonical_data(raw["data"])
        parts = (raw["seq"], raw["at"], raw["kind"], canonical, raw["prev"])
        right = _frame(*parts, raw["hash"]) + b"\n"
        if right != line:
            raise _Bad(f"its bytes are not the canonical form of its JSON, from its byte {_same(right, line)} on")
        if raw["seq"] != self.seq:
            raise _Bad(f"it says that it is record {raw['seq']}: records are missing, doubled or out of order")
        if self.head is not None and raw["prev"] != self.head:
            raise _Bad("its prev is not the hash of the record before it: that one, or this one, is not the original")
        if hashlib.sha256(_frame(*parts)).hexdigest() != raw["hash"]:
            raise _Bad("its hash is not that of its content")
        return Record(raw["seq"], raw["at"], self._event(raw["kind"], raw["data"], canonical), raw["prev"], raw["hash"])

    def _event(self, kind: str, data: dict[str, Any], canonical: bytes) -> Event:
        if kind not in KINDS:
            raise _Bad(f"this gonogo knows no event {kind}")
        if (self.seq == 0) != (kind == "session_opened"):
            raise _Bad("session_opened must be the first record, and only that")
        if kind == "session_opened" and data.get("format") != FORMAT:
            raise _Bad(f"it was written in another format than {FORMAT}, the one that this gonogo reads")
        if "kind" in data:
            raise _Bad("its data holds a kind of its own")
        try:
            return KINDS[kind].model_validate_json(canonical, strict=True)  # type: ignore[return-value]
        except ValidationError as error:
            raise _Bad(f"its data is not that of {kind}: {'; '.join(_reasons(error))}") from None


def _same(one: bytes, other: bytes) -> int:
    """How many bytes two lines have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _parsed(line: bytes) -> dict[str, Any]:
    """The six fields, each of its form."""
    try:
        raw = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Bad(f"it is not UTF-8, at its byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _Bad(f"it is not JSON, from its character {error.pos} on") from None
    except (ValueError, RecursionError):
        raise _Bad("it is not JSON that can be read") from None
    if not isinstance(raw, dict) or set(raw) != FIELDS:
        raise _Bad("it does not have exactly the fields seq, at, kind, data, prev and hash")
    if type(raw["seq"]) is not int or not 0 <= raw["seq"] < _INT_LIMIT:
        raise _Bad("its seq is not a record number")
    if not isinstance(raw["at"], str) or not _is_moment(raw["at"]):
        raise _Bad("its at is not a time in UTC with microseconds")
    if not isinstance(raw["kind"], str) or not re.fullmatch("[a-z_]+", raw["kind"]):
        raise _Bad("its kind is not the name of an event")
    if not isinstance(raw["data"], dict):
        raise _Bad("its data is not an object")
    for name in ("prev", "hash"):
        if not isinstance(raw[name], str) or not _HASH.fullmatch(raw[name]):
            raise _Bad(f"its {name} is not a SHA-256")
    return raw


def _is_moment(text: str) -> bool:
    if not _AT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _canonical_data(data: object) -> bytes:
    _judge(data)
    try:
        return canonical(data)
    except UnicodeEncodeError:
        raise _Bad("it holds a lone surrogate") from None


def _reasons(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_input=False, include_url=False, include_context=False)[:3]:
        where = ".".join(str(part) for part in each["loc"])
        yield f"{where[:80]!a}: {each['msg']}" if where else each["msg"]


def opened(record: Record) -> SessionOpened:
    """The first record's event. Raises ValueError for any other record."""
    if not isinstance(record.event, SessionOpened):
        raise ValueError(f"record {record.seq} opens no session")
    return record.event
