"""ALTER DEFAULT PRIVILEGES, from the lists that PostgreSQL keeps."""

import re

from migrations.drift.sql.acl import OWNER, Grant, Grants, changed, grants
from migrations.drift.sql.words import identifier

_NAME = re.compile(
    r"(?P<role>.+?) on (?P<things>tables|sequences|functions|types|schemas)(?: in (?P<schema>.+))?", re.DOTALL
)
PUBLIC_AT_FIRST = {"functions": "X", "types": "U"}


def default_privileges(name: str, wanted: str | None, there: str | None) -> tuple[str, ...]:
    """Statements that lead from one list to another; None is the list of who never changed it."""
    found = _NAME.fullmatch(name)
    if found is None:
        return ()
    role = _bare(found["role"])
    sides = [None if text is None else grants(text, role) for text in (wanted, there)]
    asked, have = (_usual(found, sides[1 - n]) if side is None else side for n, side in enumerate(sides))
    within = f" IN SCHEMA {found['schema']}" if found["schema"] else ""
    head = f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(role)}{within}"
    return tuple(f"{head} {text}" for text in changed(found["things"].upper(), asked, have, role))


def _usual(found: re.Match[str], other: Grants | None) -> Grants:
    """Within a schema nothing is granted beyond the database's; there the owner may do all, which the other has too."""
    if found["schema"]:
        return frozenset()
    letter = PUBLIC_AT_FIRST.get(found["things"])
    own = frozenset(grant for grant in other or () if grant.grantee == OWNER)
    return own | frozenset((Grant("", letter),) if letter else ())


def _bare(written: str) -> str:
    return written[1:-1].replace('""', '"') if written.startswith('"') else written
