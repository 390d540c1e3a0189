"""Privileges of two databases, made comparable: whoever the owner is, whoever granted them, whatever the version."""

from collections.abc import Mapping

from migrations.catalog.diff import split_key
from migrations.drift import Drift
from migrations.drift.sql.acl import OWNER, Grants, grants, written
from migrations.drift.sql.dress import TABLES, revoked
from migrations.drift.sql.words import Attributes, Objects, holder

MAINTAIN_SINCE = 17
"""The major version from which tables have the privilege MAINTAIN."""


def alike(objects: Objects, majors: tuple[int, int]) -> dict[str, Attributes]:
    """A catalog with privileges in a form that only differs where they do. `majors`: versions of both servers."""
    return {key: _alike(key, attributes, objects, majors) for key, attributes in objects.items()}


def _alike(key: str, attributes: Attributes, objects: Objects, majors: tuple[int, int]) -> Attributes:
    if "privileges" not in attributes:
        return attributes
    kind, name = split_key(key)
    owner = attributes.get("owner") or _owner_of(kind, name, attributes, objects)
    found = grants(attributes["privileges"], owner)
    tables = kind in TABLES or (kind == "default privileges" and " on tables" in name)
    if tables and min(majors) < MAINTAIN_SINCE <= max(majors):
        found = frozenset(grant for grant in found if grant.letter != "m")
    return {**attributes, "privileges": written(found)}


def _owner_of(kind: str, name: str, attributes: Attributes, objects: Objects) -> str:
    """Of a column its table's; of default privileges whom they are of."""
    if kind == "default privileges":
        role = name.partition(" on ")[0]
        return role[1:-1].replace('""', '"') if role.startswith('"') else role
    of = attributes.get("of", "")
    return objects.get(f"{holder(of, objects)} {of}", {}).get("owner", "")


def known_roles(folder: Objects, owner: str) -> frozenset[str]:
    """Roles that the folder speaks of: what else a role may do is for others to say."""
    found = {owner, "", OWNER}
    for attributes in folder.values():
        found.add(attributes.get("owner", ""))
        found |= {grant.grantee for grant in grants(attributes.get("privileges"), "")}
    return frozenset(found)


def strangers(
    folder: Objects, target: Objects, known: frozenset[str]
) -> tuple[dict[str, Attributes], tuple[Drift, ...]]:
    """The target without what roles may do that the folder never speaks of, and a difference for each such role."""
    left: dict[str, Attributes] = {}
    by_role: dict[str, dict[str, Grants]] = {}
    for key, attributes in target.items():
        left[key] = attributes
        if key not in folder or "privileges" not in attributes:
            continue
        found = grants(attributes["privileges"], "")
        strange = frozenset(grant for grant in found if grant.grantee not in known)
        if strange:
            left[key] = {**attributes, "privileges": written(found - strange)}
            for role in {grant.grantee for grant in strange}:
                by_role.setdefault(role, {})[key] = frozenset(g for g in strange if g.grantee == role)
    return left, tuple(_stranger(role, things, target) for role, things in sorted(by_role.items()))


def _stranger(role: str, things: Mapping[str, Grants], target: Objects) -> Drift:
    names = sorted({grant.words.partition(" to ")[0] for which in things.values() for grant in which})
    one = next(iter(things)) if len(things) == 1 else f"{len(things)} objects"
    statements = tuple(text for key, which in things.items() for text in revoked(*split_key(key), target[key], which))
    return Drift(
        f"role/{role}/privileges",
        f"role {role}: privileges",
        "no script speaks of this role",
        f"{', '.join(names)} on {one}",
        statements,
        "whoever works as this role can do so no longer",
    )
