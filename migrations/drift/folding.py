"""Differences that are parts of another one: a column of a missing table, a partition's copy of its parent's column."""

from collections.abc import Iterable, Iterator, Sequence

from migrations.catalog.diff import HOLDERS, Difference
from migrations.drift.sql.words import Attributes, Objects, local, schema_of, split_list

TOGETHER = {
    ("table", "partition"): "parents",
    ("function", "type"): "body",
    ("procedure", "type"): "body",
    ("view", "columns"): "definition",
    ("materialized view", "columns"): "definition",
    ("sequence", "values"): "type",
}
"""An attribute that changes with another one of the same object."""
WITH_ITS_TABLE = ("persistence", "owner")
WITH_ITS_COLUMN = ("type", "values")
WITHOUT_SCHEMA = ("schema", "extension", "event trigger", "publication")

Key = tuple[str, str, str]


def folded(found: Sequence[Difference], folder: Objects, target: Objects) -> Iterator[Difference]:
    """Only those that stand for themselves."""
    sides = [{(d.kind, d.name) for d in found if not d.attribute and side(d) is None} for side in (_before, _after)]
    attributes = {(d.kind, d.name, d.attribute): d for d in found if d.attribute}
    for each in found:
        if each.attribute:
            above: Iterable[Key] = _above_attribute(each, target)
            if not any(_same(each, attributes.get(key), key) for key in above):
                yield each
            continue
        side, objects = (sides[0], target) if each.before is None else (sides[1], folder)
        about = each.after or each.before or {}
        if any(holder in side for holder in _above(each, about, objects)):
            continue
        if not any((*_column(about), attribute) in attributes for attribute in ("identity", "default")):
            yield each


def _before(each: Difference) -> Attributes | None:
    return each.before


def _after(each: Difference) -> Attributes | None:
    return each.after


def _column(attributes: Attributes) -> tuple[str, str]:
    return "column", attributes.get("owned by", "")


def _above(each: Difference, attributes: Attributes, objects: Objects) -> Iterator[tuple[str, str]]:
    """What an object comes and goes with."""
    of = attributes.get("of", "")
    yield from ((kind, of) for kind in HOLDERS if of)
    if owned := attributes.get("owned by"):
        yield "column", owned
        yield "table", objects.get(f"column {owned}", {}).get("of", "")
    yield from (("table", parent) for parent in split_list(attributes.get("parents")))
    if each.kind == "index" and "attached to" in attributes:
        yield "index", attributes["attached to"]
    yield from ((each.kind, above) for above in _at_parents(each, of, objects))
    if each.kind == "default privileges":
        yield "schema", each.name.partition(" in ")[2]
    elif each.kind not in WITHOUT_SCHEMA:
        yield "schema", schema_of(of or each.name)


def _at_parents(each: Difference, of: str, objects: Objects) -> Iterator[str]:
    """The same part of the tables that this one inherits from."""
    about = objects.get(f"{each.kind} {each.name}", {})
    if each.kind in ("column", "constraint"):
        for parent in split_list(objects.get(f"table {of}", {}).get("parents")):
            yield f"{parent}.{about.get('attached to') or local(each.name, of)}"


def _above_attribute(each: Difference, target: Objects) -> Iterator[Key]:
    if other := TOGETHER.get((each.kind, each.attribute)):
        yield each.kind, each.name, other
    if each.attribute == "attached to":
        yield "table", each.of, "parents"
    for above in _at_parents(each, each.of, target):
        yield each.kind, above, each.attribute
    owned = (each.after or {}).get("owned by")
    if each.kind == "sequence" and owned:
        if each.attribute in WITH_ITS_TABLE:
            yield "table", target.get(f"column {owned}", {}).get("of", ""), each.attribute
        if each.attribute in WITH_ITS_COLUMN:
            yield "column", owned, "type"


def _same(each: Difference, above: Difference | None, key: Key) -> bool:
    """Whether the one above brings this one along."""
    if above is None:
        return False
    return key[0] != each.kind or key[1] == each.name or (above.was, above.now) == (each.was, each.now)
