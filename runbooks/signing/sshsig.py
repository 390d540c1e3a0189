"""What an SSH signature says of itself: whose key, for which purpose. Whether it is right, ssh-keygen says.

The format is OpenSSH's PROTOCOL.sshsig.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from migrations.problem import Problem

BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"
LONGEST = 64 * 1024
"""No signature is longer, in characters."""
MAGIC = b"SSHSIG"


class BadSignature(Problem):
    """A signature that proves nothing, and why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """An armoured signature; `key` is the public key's own bytes."""

    armour: str
    key: bytes
    key_type: str
    namespace: str

    @property
    def fingerprint(self) -> str:
        """The key as `ssh-keygen -l` names it."""
        return fingerprint(self.key)


def fingerprint(key: bytes) -> str:
    """SHA256: and the hash of a public key's bytes, as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def key_type(key: bytes) -> str:
    """The type that a public key's bytes name themselves. Raises ValueError."""
    name, _ = _string(key)
    return name.decode("ascii")


def is_plain(key: bytes) -> bool:
    """Whether a public key's bytes are the one way to write it. Raises ValueError.

    OpenSSH reads an RSA key with zeros before its numbers, and takes it for the same key as without.
    """
    fields, rest = list[bytes](), key
    while rest:
        field, rest = _string(rest)
        fields.append(field)
    return fields[0] != b"ssh-rsa" or all(field == _number(field) for field in fields[1:])


def read_signature(text: str) -> Signature:
    """An armoured signature, and nothing beside it. Raises BadSignature."""
    lines = text.strip().splitlines() if len(text) <= LONGEST else []
    if len(lines) < 3 or (lines[0], lines[-1]) != (BEGIN, END):
        raise BadSignature("This is no SSH signature.", advice=f"It begins with {BEGIN} and ends with {END}.")
    try:
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        if blob[:6] != MAGIC or blob[6:10] != b"\0\0\0\1":
            raise ValueError("another version")
        key, rest = _string(blob[10:])
        namespace, _ = _string(rest)
        return Signature(text, key, key_type(key), namespace.decode("ascii"))
    except (ValueError, binascii.Error):
        raise BadSignature("This SSH signature is damaged, or of a kind that is not known here.") from None


def _number(field: bytes) -> bytes:
    """A number of the SSH protocol as it is to be written: a zero stands first only where it would be below zero."""
    digits = field.lstrip(b"\0")
    return b"\0" + digits if digits[:1] >= b"\x80" else digits


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string of the SSH protocol, and what follows it. Raises ValueError."""
    size = int.from_bytes(data[:4])
    if len(data) < 4 + size:
        raise ValueError("cut short")
    return data[4 : 4 + size], data[4 + size :]
