"""What a difference is called: for good, in a waiver or in gonogo.toml, and for people."""

from migrations.catalog.diff import TOLD_BY_NAME, Difference, cut, short, shown
from migrations.drift.sql.acl import Grants, grants
from migrations.drift.sql.words import Objects, holder, local, schema_of

NOTHING = "nothing"


def id_of(each: Difference, folder: Objects, target: Objects) -> str:
    """As in `table/public.orders/column/note/type`; without the last part where the object itself is the difference."""
    kind, of = _word(each.kind), each.of
    if of:
        bare = each.name if kind == "statistics" and schema_of(each.name) != schema_of(of) else local(each.name, of)
        path = f"{_word(holder(of, folder, target))}/{of}/{kind}/{bare}"
    else:
        path = f"{kind}/{each.name}"
    return f"{path}/{_word(each.attribute)}" if each.attribute else path


def title_of(each: Difference) -> str:
    """As in `column orders.note: type`."""
    return f"{each.kind} {shown(each.name)}{f': {each.attribute}' if each.attribute else ''}"


def sides_of(each: Difference) -> tuple[str, str]:
    """What the folder says, and what the target has."""
    if not each.attribute:
        words = short(each.kind, each.after or each.before or {}) or "it is there"
        return (NOTHING, words) if each.before is None else (words, NOTHING)
    if each.attribute == "privileges":
        was, now = (grants(side, "") for side in (each.was, each.now))
        return _granted(was - now), _granted(now - was)
    if each.attribute == "body" or (each.attribute == "definition" and each.kind in TOLD_BY_NAME):
        return "as the scripts make it", f"another {each.attribute}"
    return cut(each.was), cut(each.now)


def _granted(which: Grants) -> str:
    return ", ".join(sorted(grant.words for grant in which)) or "not that"


def _word(text: str) -> str:
    return text.replace(" ", "-")
