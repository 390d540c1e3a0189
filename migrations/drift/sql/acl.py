"""Access control lists, as PostgreSQL writes them, and the statements that make one of another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrations.drift.sql.words import identifier, split_list

LETTERS = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
    "c": "CONNECT",
    "T": "TEMPORARY",
    "s": "SET",
    "A": "ALTER SYSTEM",
}
OWNER = "\0"
"""Stands for the owner, whoever that is."""

ANY_OWNER = "*"
"""How a list that we write has the owner: PostgreSQL quotes such a name."""

_ITEM = re.compile(r'(?P<grantee>"(?:[^"]|"")*"|[^="]*)=(?P<letters>(?:[A-Za-z]\*?)*)/.*', re.DOTALL)
_LETTER = re.compile(r"[A-Za-z]\*?")


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One privilege of one role; the grantee is empty for PUBLIC."""

    grantee: str
    letter: str
    grantable: bool = False

    @property
    def words(self) -> str:
        """For people: `SELECT to app`."""
        who = {"": "everybody", OWNER: "the owner"}.get(self.grantee, self.grantee)
        return f"{LETTERS.get(self.letter, self.letter)} to {who}{' with grant option' if self.grantable else ''}"


Grants = frozenset[Grant]


def grants(text: str | None, owner: str) -> Grants:
    """What a list grants, whoever granted it; the owner is told as `OWNER`."""
    return frozenset(grant for item in split_list(text) for grant in _item(item, owner))


def _item(item: str, owner: str) -> Iterator[Grant]:
    found = _ITEM.fullmatch(item)
    if found is None:
        return
    written = found["grantee"]
    name = written[1:-1].replace('""', '"') if written.startswith('"') else written
    own = written == ANY_OWNER or (name and name == owner)
    for letter in _LETTER.findall(found["letters"]):
        yield Grant(OWNER if own else name, letter[0], letter.endswith("*"))


def written(which: Grants) -> str:
    """As a list again, without who granted it, and the owner as `*`."""
    by_role: dict[str, str] = {}
    for grant in sorted(which):
        by_role[grant.grantee] = by_role.get(grant.grantee, "") + grant.letter + "*" * grant.grantable
    return ", ".join(f"{_role(role)}={letters}/" for role, letters in by_role.items())


def _role(name: str) -> str:
    return ANY_OWNER if name == OWNER else identifier(name) if name else ""


def changed(thing: str, wanted: Grants, there: Grants, owner: str, columns: str = "") -> tuple[str, ...]:
    """GRANT and REVOKE on a thing (`TABLE public.orders`), or on some columns of it."""
    verbs = (("REVOKE", "FROM", there - wanted), ("GRANT", "TO", wanted - there))
    return tuple(text for verb, to, which in verbs for text in _each(verb, to, thing, which, owner, columns))


def _each(verb: str, to: str, thing: str, which: Grants, owner: str, columns: str) -> Iterator[str]:
    by_role: dict[tuple[str, bool], list[str]] = {}
    for grant in sorted(which):
        name = LETTERS.get(grant.letter, grant.letter)
        by_role.setdefault((grant.grantee, grant.grantable), []).append(f"{name} ({columns})" if columns else name)
    for (grantee, grantable), names in by_role.items():
        role = "PUBLIC" if not grantee else identifier(owner if grantee == OWNER else grantee)
        option = " WITH GRANT OPTION" if grantable and verb == "GRANT" else ""
        yield f"{verb} {', '.join(names)} ON {thing} {to} {role}{option}"
