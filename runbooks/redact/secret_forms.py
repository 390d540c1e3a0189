"""The ways in which a secret may be written, and where in a text they stand."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONG_ENOUGH = 6
"""Bytes of a secret that is looked for in base64 and hexadecimal."""

_ENCODED = re.compile("%[0-9A-Fa-f]{2}")

Unit = tuple[str, ...]
"""The spellings of one character."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a secret: for each character, what it may look like."""

    name: str
    units: tuple[Unit, ...]
    pattern: re.Pattern[str]
    """Matches empty, where the form begins; group 1 is the form. Overlapping ones are all found."""
    quick: re.Pattern[str]
    """The same without the look-ahead, which `re` searches many times faster."""
    bare: str
    """Each character as it is."""
    marks: tuple[str, ...]
    """One of these stands where a character is spelt in another way."""
    first: re.Pattern[str]
    """What it may begin with: one character."""
    longest: int
    """The most characters that it takes."""

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it stands, overlapping ones too."""
        if self._may_be_in(text) and self.quick.search(text):
            yield from (found.span(1) for found in self.pattern.finditer(text))

    def _may_be_in(self, text: str) -> bool:
        """Told by plain search, which costs next to nothing."""
        return self.bare in text or any(
            mark in text and (mark != "%" or _ENCODED.search(text) is not None) for mark in self.marks
        )

    def begun(self, text: str) -> int:
        """Where the end of `text` may be the beginning of it; the length of `text` if nowhere."""
        start = max(0, len(text) - self.longest + 1)
        places = (found.start() for found in self.first.finditer(text, start))
        return next((at for at in places if self._may_begin(text, at)), len(text))

    def _may_begin(self, text: str, at: int) -> bool:
        places = {at}
        for unit in self.units:
            after = set()
            for place in places:
                rest = text[place : place + 12]
                if any(len(each) > len(text) - place and each.startswith(rest) for each in unit):
                    return True
                after |= {place + len(each) for each in unit if text.startswith(each, place)}
            if not after:
                return False
            places = after
        return False


def forms(name: str, secret: str) -> list[Form]:
    """As it is or with any of it percent-encoded, as JSON escapes it, as SQL and a connection string quote it.

    Also in hexadecimal, and in base64 wherever it begins there; but for the shortest, which would be there by chance.
    """
    quoted = {
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
    }
    return [
        _form(name, secret, tuple(_spellings(character) for character in secret)),
        *(plain(name, each) for each in sorted(quoted - {secret})),
        *(plain(name, each) for each in sorted(_encoded(secret) - {secret})),
    ]


def _encoded(secret: str) -> set[str]:
    data = secret.encode("utf-8", "surrogateescape" if any(map(_undecodable, secret)) else "surrogatepass")
    if len(data) < LONG_ENOUGH:
        return set()
    found = {data.hex(), data.hex().upper()}
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + data).decode()
            # The characters at both ends hang on what stands beside it.
            found.add(text[(0, 2, 3)[shift] : len(text) - (0, 3, 2)[(shift + len(data)) % 3]])
    return found


def plain(name: str, text: str) -> Form:
    """Exactly this text."""
    return _form(name, text, tuple((character,) for character in text))


def _spellings(character: str) -> Unit:
    undecodable = _undecodable(character)
    bare = character.encode("utf-8", "surrogateescape" if undecodable else "surrogatepass")
    encoded = "".join(f"%{byte:02X}" for byte in bare)
    also = {" ": ("+",)}.get(character, ("\ufffd",) if undecodable else ())
    return tuple(sorted({character, *also, encoded, encoded.lower()}, key=lambda each: (-len(each), each)))


def _undecodable(character: str) -> bool:
    """A byte of the environment, which output shows as U+FFFD."""
    return "\udc80" <= character <= "\udcff"


def _form(name: str, bare: str, units: tuple[Unit, ...]) -> Form:
    body = "".join(re.escape(unit[0]) if len(unit) == 1 else f"(?:{'|'.join(map(re.escape, unit))})" for unit in units)
    first = re.compile("|".join(re.escape(each[0]) for each in units[0]))
    longest = sum(max(map(len, unit)) for unit in units)
    others = (each[0] for own, unit in zip(bare, units, strict=True) for each in unit if each != own)
    marks = tuple(dict.fromkeys(others))
    return Form(name, units, re.compile(f"(?=({body}))"), re.compile(body), bare, marks, first, longest)
