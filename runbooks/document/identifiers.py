"""Ids of steps, items and options: given, or made of their text."""

import hashlib
import re
import unicodedata

LONGEST = 48
RESERVED = {
    "anchor": "is the step that notes the head elsewhere",
    "approvals": "stands for the approvals of a session",
    "env": "stands for the environment's values in `${env.key}`",
    "logs": "stands for looks at the environment's logs",
    "next-stage": "is the follow-up that a stage of a series leaves",
    "opening": "is the step that opens a session",
    "secret": "stands for the project's secrets in `${secret.NAME}`",
    "signing": "stands for the signatures of a session",
    "window": "stands for the maintenance windows of a session",
}

_VALID = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)


def is_id(text: str) -> bool:
    """Whether a text may serve as an id: small letters, digits and dashes, a letter first, 64 at the most."""
    return _VALID.fullmatch(text) is not None


def slug(text: str) -> str:
    """An id made of a text: its words in small letters; of a text without Latin letters, a part of its hash."""
    ascii_text = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_text)
    while words and not words[0][0].isalpha():
        words.pop(0)
    found = ""
    for word in words:
        if found and len(found) + 1 + len(word) > LONGEST:
            break
        found = f"{found}-{word}" if found else word[:LONGEST]
    return found or "id-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
