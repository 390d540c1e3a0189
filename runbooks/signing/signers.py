"""Who may sign: a file in OpenSSH's format of allowed signers, of which only what names one person a line is taken."""

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path

from migrations.problem import Misuse
from runbooks.signing.sshsig import fingerprint, is_plain, key_type

KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
LARGEST = 1024 * 1024
"""No file of signers is larger, in bytes."""
_OPTION = re.compile(r'(namespaces|valid-after|valid-before)="([^"]*)"', re.IGNORECASE)
_LINE = re.compile(r'(\S+)[ \t]+(?:((?:[^ \t"]|"[^"]*")+)[ \t]+)??(\S+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t].*)?')


class BadSigners(Misuse):
    """A line of a file of signers that is not taken, and why."""


@dataclass(frozen=True, slots=True)
class Named:
    """One line: a name, and a key of that person. `line` counts from 1; `timed`: it holds for a time only."""

    line: int
    principal: str
    key: bytes
    timed: bool

    @property
    def fingerprint(self) -> str:
        """The key as `ssh-keygen -l` names it."""
        return fingerprint(self.key)


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """The people of a file, and its own bytes, by which ssh-keygen judges. `shown` is where they are from."""

    shown: str
    text: bytes
    people: tuple[Named, ...]

    @classmethod
    def read(cls, path: Path) -> "AllowedSigners":
        """Raises Misuse if it cannot be read; BadSigners for a line that names no one person."""
        try:
            with path.open("rb") as file:
                text = file.read(LARGEST + 1)
        except OSError as error:
            raise Misuse(f"{path} cannot be read: {error.strerror}.", advice="It names who may sign.") from None
        return cls.parse(text, shown=str(path))

    @classmethod
    def parse(cls, text: bytes, *, shown: str) -> "AllowedSigners":
        """The same for bytes that come from elsewhere, such as a commit. Raises BadSigners."""
        if len(text) > LARGEST:
            raise BadSigners(f"{shown} is larger than {LARGEST} bytes.", advice="Is it a file of signers?")
        try:
            lines = text.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            raise BadSigners(f"{shown} is not UTF-8.") from None
        people: list[Named] = []
        for number, line in enumerate(lines, 1):
            said = line.strip(" \t\r")
            try:
                if not said.replace("\t", " ").isprintable():
                    raise _NotTakenError("it holds what cannot be printed")
                if said and not said.startswith("#"):
                    people.append(_alone(_named(number, said), people))
            except _NotTakenError as reason:
                raise BadSigners(f"{shown}, line {number}: {reason}.", advice=reason.advice) from None
        return cls(shown, text, tuple(people))

    def owner(self, key: bytes) -> Named | None:
        """Whose key this is."""
        return next((one for one in self.people if one.key == key), None)


class _NotTakenError(Exception):
    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.advice = advice


def _named(number: int, line: str) -> Named:
    found = _LINE.fullmatch(line)
    if found is None:
        raise _NotTakenError(
            "it is not a name, options and a public key", "For example: ana@example.org ssh-ed25519 AAAA…"
        )
    principal, options, kind, key64 = found.groups()
    timed = _timed(options or "")
    _one_person(principal)
    if kind not in KEY_TYPES:
        raise _NotTakenError(f"keys of type {kind} are not taken")
    try:
        key = base64.b64decode(key64, validate=True)
        if key_type(key) != kind or not is_plain(key):
            raise ValueError(kind)
    except (ValueError, binascii.Error):
        raise _NotTakenError(f"its key is no {kind} key") from None
    return Named(number, principal, key, timed)


def _timed(options: str) -> bool:
    """Whether it holds for a time only, which ssh-keygen judges as it does the namespaces."""
    left, names = options, set[str]()
    while left:
        if left.lower().partition(",")[0] == "cert-authority":
            raise _NotTakenError(
                "cert-authority lets whoever holds that key name people at will", "Name each person's own key."
            )
        found = _OPTION.match(left)
        rest = left[found.end() :] if found else ""
        if found is None or (rest and not rest.startswith(",")):
            raise _NotTakenError(f"the option {left!r} is not known here")
        names.add(found[1].lower())
        left = rest.removeprefix(",")
    return bool(names & {"valid-after", "valid-before"})


def _one_person(principal: str) -> None:
    if not principal.isascii():
        raise _NotTakenError(f"{principal!a} is not ASCII", "Letters of other scripts can look like another's name.")
    if any(sign in principal for sign in "*?!"):
        raise _NotTakenError(f"{principal} is a pattern, and a signature is one person's", "Write each name on a line.")
    if "," in principal:
        raise _NotTakenError(f"{principal} is more than one name for one key", "One person has one name here.")
    if '"' in principal:
        raise _NotTakenError("names in quotes are not taken")


def _alone(one: Named, before: list[Named]) -> Named:
    """Refuse a second name of the same key, the same line twice, and names that differ in their letters' case only."""
    for other in before:
        if one.key == other.key and one.principal == other.principal:
            raise _NotTakenError(f"line {other.line} names {one.principal} with the same key already")
        if one.key == other.key:
            raise _NotTakenError(
                f"the key of {one.principal} is that of {other.principal} in line {other.line}",
                "Two names with one key are one person.",
            )
        if one.principal != other.principal and one.principal.casefold() == other.principal.casefold():
            raise _NotTakenError(f"{one.principal} is written {other.principal} in line {other.line}")
    return one
