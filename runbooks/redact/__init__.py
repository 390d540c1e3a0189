"""Secrets out, before anything is written or shown. In their place stands `«redacted:NAME»`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, TypeVar, get_origin

from pydantic import BaseModel, JsonValue

from runbooks.redact.secret_forms import Form, forms, plain
from runbooks.session.events import CommandRefused, Event
from runbooks.session.runbook import CONDITIONS

SHORTEST = 4
"""A shorter secret is not looked for: it would stand everywhere by chance."""
SHORTEST_LINE = 12
URL_PASSWORD = "url-password"

# The scheme need not be seen, so that what was sent on already never matters. Every part is bounded, so that
# a stream holds back no more than that.
# A marker of ours in the place of the user is taken whole: the colon in it begins no password.
_USER = r'(?>(?:«redacted:[^\s/@:»]{1,64}»|[^\s/?#:@"<>`]){0,256})'
_PASSWORD = r'[^\s/?#"<>`]'
_URL = re.compile(rf"://{_USER}:({_PASSWORD}{{1,4096}})@")
_MAY_BEGIN = re.compile(r"://|:/?\Z")
LONGEST_URL = 32 * 1024
"""More than such a URL may take up to its password's end."""
_URL_BEGUN = re.compile(rf":(?:/(?:/{_USER}(?::{_PASSWORD}{{0,4096}})?)?)?\Z")

_REFERENCES = frozenset(
    {
        *("id", "step", "uses", "item", "question", "exact", "choices", "subject", "option", "command"),
        *("session", "environment", "project", "face", "from_face", "gonogo", "path", "file"),
        *("migration", "held_back", "model", "rule", "database", "oid", "system_identifier", "timeline"),
        *("hash", "head", "plan", "sha256", "project_sha256", "commit"),
    }
)
"""Fields that name something of ours, by which records refer to each other. A password `dump` must not break them."""

M = TypeVar("M", bound=BaseModel)
Span = tuple[int, int, str]


class Redactor:
    """Takes secrets (name → value) out of texts, values and events, in every form of `secret_forms`.

    Also any password in a URL. `too_short` names the secrets that are not looked for.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.too_short = tuple(name for name, secret in secrets.items() if 0 < len(secret) < SHORTEST)
        self._known = frozenset[tuple[str, str]]()
        self.learn((name, secret) for name, secret in secrets.items())

    def learn(self, secrets: Iterable[tuple[str, str]]) -> None:
        """Look for more of them from now on: name and value, a name as often as need be."""
        known = self._known | frozenset(secrets)
        if known == self._known and known:
            return
        wanted = list({part: name for name, secret in sorted(known) for part in _parts(secret)}.items())
        wanted.sort(key=lambda pair: (-len(pair[0]), pair[1]))
        self._known = known
        self._forms = [form for part, name in wanted for form in forms(name, part)]
        markers = [_marker(name) for name in sorted({*(name for name, _ in known), URL_PASSWORD})]
        self._marker = re.compile("|".join(map(re.escape, markers)))
        self._begun: list[Form] = [*self._forms, *(plain("", marker) for marker in markers)]

    def text(self, text: str) -> str:
        """The text without secrets. Doing it twice changes nothing more."""
        return _without(text, self._found(text))

    def spans(self, text: str) -> list[Span]:
        """Where secrets stand in a text, and their names."""
        return self._found(text)

    def names(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The names of the secrets that stand in texts, each once."""
        return tuple(dict.fromkeys(name for text in texts for _, _, name in self._found(text)))

    def value(self, value: JsonValue) -> JsonValue:
        """The same for every string in a JSON value, keys too."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(each) for each in value]
            case dict():
                return {self.text(key): self.value(each) for key, each in value.items()}
            case _:
                return value

    def event(self, event: Event) -> Event:
        """The same for everything in an event that is not one of our own names, choices or hashes."""
        clean = self._model(event)
        if isinstance(clean, CommandRefused):  # its subject is what somebody sent, and nothing refers to it
            return clean.model_copy(update={"subject": self.text(clean.subject)})
        return clean

    def stream(self) -> "Stream":
        """For text that comes in chunks, split anywhere."""
        return Stream(self)

    def parted(self, text: str) -> tuple[str, str]:
        """What of a text can be let out now, redacted, and the rest: it may be the beginning of something longer."""
        spans = list(self._spans(text))
        at = self._cut(text, spans)
        return _without(text[:at], self._found(text[:at]) if spans else []), text[at:]

    def _cut(self, text: str, spans: list[Span]) -> int:
        at = min((form.begun(text) for form in self._begun), default=len(text))
        begun = _URL_BEGUN.search(text) if _MAY_BEGIN.search(text, max(0, len(text) - LONGEST_URL)) else None
        at = min(at, begun.start()) if begun else at
        for start, end, _ in _merged([*spans, *((*span, "") for span in self._markers(text))]):
            if start < at < end:
                return start
        return at

    def _markers(self, text: str) -> list[tuple[int, int]]:
        return [found.span() for found in self._marker.finditer(text)] if "«" in text else []

    def _found(self, text: str) -> list[Span]:
        spans = list(self._spans(text))
        if not spans:
            return []
        markers = self._markers(text)
        inside = [span for span in spans if any(a <= span[0] and span[1] <= b for a, b in markers)]
        return _merged([span for span in spans if span not in inside])

    def _spans(self, text: str) -> Iterator[Span]:
        for form in self._forms:
            for start, end in form.spans(text):
                yield start, end, form.name
        if "://" in text:
            for found in _URL.finditer(text):
                yield *found.span(1), URL_PASSWORD

    def _model(self, model: M) -> M:
        changed = {}
        for name in _texts(type(model)):
            old = getattr(model, name)
            if (new := self._any(old)) != old:
                changed[name] = new
        return model.model_copy(update=changed) if changed else model

    def _any(self, value: Any) -> Any:
        match value:
            case BaseModel():
                return self._model(value)
            case tuple():
                return tuple(self._any(each) for each in value)
            case dict():
                return {k if k in CONDITIONS else self.text(k): self._any(each) for k, each in value.items()}
            case _:
                return self.value(value)


class Stream:
    """Redacts chunks as if they were one text; holds back only what may be the beginning of a secret."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, chunk: str) -> str:
        """What can be shown after one more chunk."""
        clean, self._held = self._redactor.parted(self._held + chunk)
        return clean

    def flush(self) -> str:
        """The rest: nothing more comes."""
        text, self._held = self._held, ""
        return self._redactor.text(text)


def _without(text: str, spans: list[Span]) -> str:
    kept, at = [], 0
    for start, end, name in spans:
        kept += [text[at:start], _marker(name)]
        at = end
    return "".join([*kept, text[at:]]) if at else text


def _marker(name: str) -> str:
    return f"«redacted:{name}»"


def _parts(secret: str) -> list[str]:
    """The secret, and its lines if it is a key of several: programs print those one by one."""
    lines = [line.strip() for line in secret.splitlines()] if "\n" in secret else []
    long = [line for line in lines if len(line) >= SHORTEST_LINE and not line.startswith("-----")]
    return [part for part in dict.fromkeys([secret, secret.strip(), *long]) if len(part) >= SHORTEST]


def _merged(spans: list[Span]) -> list[Span]:
    """Overlapping spans as one, under the name of the longest; a secret's own name goes before `url-password`."""
    merged: list[Span] = []
    rank = (True, 0)
    for start, end, name in sorted(spans):
        mine = (name != URL_PASSWORD, end - start)
        if merged and start < merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(end, before[1]), name if mine > rank else before[2]))
            rank = max(mine, rank)
        else:
            merged.append((start, end, name))
            rank = mine
    return merged


@cache
def _texts(model: type[BaseModel]) -> tuple[str, ...]:
    fields = model.model_fields.items()
    return tuple(n for n, f in fields if n not in _REFERENCES and get_origin(f.annotation) is not Literal)
