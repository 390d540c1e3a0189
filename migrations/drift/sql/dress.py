"""What any object has beside what it is: an owner, a comment, privileges."""

from collections.abc import Iterator

from migrations.drift.sql.acl import OWNER, Grant, Grants, changed, grants, written
from migrations.drift.sql.defaults import PUBLIC_AT_FIRST, default_privileges
from migrations.drift.sql.words import Attributes, Objects, identifier, keyword, literal, local, reference, schema_of

TABLES = ("table", "view", "materialized view", "foreign table", "column")
THINGS = {
    **dict.fromkeys(TABLES, "tables"),
    **dict.fromkeys(("function", "procedure", "aggregate"), "functions"),
    **dict.fromkeys(("enum", "composite type", "range", "domain", "type"), "types"),
}
"""How default privileges call a kind; others by their plural."""


def comment(kind: str, name: str, of: str, within: str, text: str | None) -> str:
    """COMMENT ON it."""
    return f"COMMENT ON {reference(kind, name, of, within)} IS {'NULL' if text is None else literal(text)}"


def owner(kind: str, name: str, of: str, within: str, role: str) -> str:
    """ALTER … OWNER TO."""
    return f"ALTER {reference(kind, name, of, within)} OWNER TO {identifier(role)}"


def privileges(kind: str, name: str, of: str, wanted: Attributes, there: Attributes) -> tuple[str, ...]:
    """GRANT and REVOKE that make one list of another."""
    role = there.get("owner") or wanted.get("owner", "")
    asked, found = grants(wanted.get("privileges"), wanted.get("owner", "")), grants(there.get("privileges"), role)
    return _changed(kind, name, of, asked, found, role)


def _changed(kind: str, name: str, of: str, asked: Grants, found: Grants, role: str) -> tuple[str, ...]:
    if kind == "column":
        return changed(f"TABLE {of}", asked, found, role, local(name, of))
    return changed(_thing(kind, name), asked, found, role)


def revoked(kind: str, name: str, attributes: Attributes, which: Grants) -> tuple[str, ...]:
    """REVOKE all of these."""
    of = attributes.get("of", "")
    if kind == "default privileges":
        return default_privileges(name, "", written(which))
    return _changed(kind, name, of, frozenset(), which, "")


def at_first(kind: str, schema: str, defaults: Objects, maker: str) -> Grants:
    """What others than the owner may do with a new thing: by default privileges, where there are any for its maker."""
    things = THINGS.get(kind, f"{kind}s")
    letter = PUBLIC_AT_FIRST.get(things)
    found = frozenset((Grant("", letter),)) if letter else frozenset()
    for role in (maker, identifier(maker)):
        everywhere = defaults.get(f"default privileges {role} on {things}")
        within = defaults.get(f"default privileges {role} on {things} in {schema}", {})
        found = found if everywhere is None else grants(everywhere["privileges"], maker)
        found |= grants(within.get("privileges"), maker)
    return frozenset(grant for grant in found if grant.grantee != OWNER)


def _thing(kind: str, name: str) -> str:
    if kind in TABLES:
        return f"TABLE {name}"
    return f"{'FUNCTION' if kind == 'aggregate' else keyword(kind)} {name}"


def dressed(
    kind: str, name: str, of: str, within: str, wanted: Attributes, usual: str, defaults: Objects
) -> Iterator[str]:
    """What a thing still needs after it was made by `usual`; `defaults` has the target's default privileges."""
    if (role := wanted.get("owner", usual)) != usual:
        yield owner(kind, name, of, within, role)
    if "privileges" in wanted and kind != "default privileges":
        asked = grants(wanted["privileges"], role)
        given = at_first(kind, schema_of(of or name), defaults, usual) if kind != "column" else frozenset()
        yield from _changed(kind, name, of, frozenset(g for g in asked if g.grantee != OWNER), given, role)
    if "comment" in wanted:
        yield comment(kind, name, of, within, wanted["comment"])
