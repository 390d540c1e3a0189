"""The difference of two catalogs, in lines that a person reads."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Attributes = Mapping[str, str]
Objects = Mapping[str, Attributes]

KINDS = ("schema", "extension", "table", "foreign table", "materialized view", "view", "column", "constraint", "index")
TWO_WORDS = (
    *("foreign table", "materialized view", "composite type", "event trigger", "default privileges", "access method"),
    *("operator class", "operator family", "text search configuration", "text search dictionary"),
    *("text search parser", "text search template", "foreign-data wrapper"),
)
MAIN = ("type", "definition", "labels", "columns", "version")
"""What stands behind the name, if the object has it: the first of these."""
TOLD_BY_NAME = (
    *("view", "materialized view", "trigger", "rule", "policy", "statistics", "event trigger"),
    *("text search configuration", "text search dictionary"),
)
"""Kinds whose definition is too long for a line."""
HOLDERS = ("table", "foreign table", "view", "materialized view", "domain")
"""What has parts: objects that are `of` it."""
LONGEST = 160

_QUOTED = re.compile(r"('(?:[^']|'')*')")
_PUBLIC = re.compile(r'(?<![\w.$"])public\.')


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is in one of two catalogs only (`attribute` is empty), or one attribute that is not the same.

    `before` and `after` are all attributes of the object; None where it is not there.
    """

    kind: str
    name: str
    attribute: str
    before: Attributes | None
    after: Attributes | None

    @property
    def of(self) -> str:
        """The table, view or domain that it is a part of; empty if it is none."""
        return (self.after or self.before or {}).get("of", "")

    @property
    def was(self) -> str | None:
        """The attribute before."""
        return (self.before or {}).get(self.attribute)

    @property
    def now(self) -> str | None:
        """The attribute after."""
        return (self.after or {}).get(self.attribute)


def differences(before: Objects, after: Objects) -> Iterator[Difference]:
    """Every difference, parts of what is new or gone as well, in no order."""
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        kind, name = split_key(key)
        if old is None or new is None:
            yield Difference(kind, name, "", old, new)
            continue
        for attribute in sorted(old.keys() | new.keys()):
            if old.get(attribute) != new.get(attribute) and attribute != "of":
                yield Difference(kind, name, attribute, old, new)


def diff_objects(before: Objects, after: Objects) -> tuple[str, ...]:
    """Lines sorted by table. What falls or rises with its table is told for a new table, not for a dropped one."""
    lines = (
        ((each.of or each.name, KINDS.index(each.kind) if each.kind in KINDS else len(KINDS), each.name), _line(each))
        for each in differences(before, after)
        if each.after is not None or not _went_with_table(each.before or {}, before, after)
    )
    return tuple(line for _, line in sorted(lines))


def _line(each: Difference) -> str:
    subject = f"{each.kind} {shown(each.name)}"
    if each.attribute:
        return f"~ {subject}{_change(each.kind, each.attribute, each.was, each.now)}"
    sign, attributes = ("+", each.after) if each.before is None else ("-", each.before)
    return f"{sign} {subject} {short(each.kind, attributes or {})}".rstrip()


def _change(kind: str, attribute: str, was: str | None, now: str | None) -> str:
    if attribute == "privileges":
        return f" privileges: {_privileges(was or '', now or '')}"
    if attribute == "body" or (attribute == "definition" and kind in TOLD_BY_NAME):
        return f": its {attribute} changed"
    label = "" if attribute in MAIN else f" {attribute}:"
    return f"{label} {cut(was)} → {cut(now)}"


def _privileges(was: str, now: str) -> str:
    """Items of access control lists that came and went."""
    old, new = set(was.split(", ")) - {""}, set(now.split(", ")) - {""}
    return ", ".join([f"+{item}" for item in sorted(new - old)] + [f"-{item}" for item in sorted(old - new)])


def short(kind: str, attributes: Attributes) -> str:
    """What an object is like, in a line; empty where only its definition would say it."""
    if kind in TOLD_BY_NAME or kind == "sequence":
        return ""
    main = next((attributes[name] for name in MAIN if name in attributes), "")
    words = [cut(main)] if main else []
    if kind in ("column", "domain"):
        words += [f"collate {attributes['collation']}"] if "collation" in attributes else []
        words += ["not null"] if "not null" in attributes else []
        words += [
            f"{name} {cut(attributes[name])}" for name in ("default", "generated", "identity") if name in attributes
        ]
    words += [f"({attributes['state']})"] if "state" in attributes else []
    return " ".join(words)


def _went_with_table(old: Attributes, before: Objects, after: Objects) -> bool:
    of = old.get("of")
    return of is not None and any(f"{kind} {of}" in before and f"{kind} {of}" not in after for kind in HOLDERS)


def split_key(key: str) -> tuple[str, str]:
    """Kind and name of an object."""
    for kind in TWO_WORDS:
        if key.startswith(f"{kind} "):
            return kind, key[len(kind) + 1 :]
    kind, _, name = key.partition(" ")
    return kind, name


def cut(text: str | None) -> str:
    """A text in one line, not too long."""
    if text is None:
        return "none"
    line = " ".join(shown(text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def shown(text: str) -> str:
    """A text without `public.`, where it is no part of a literal."""
    parts = _QUOTED.split(text)
    return "".join(part if n % 2 else _PUBLIC.sub("", part) for n, part in enumerate(parts))
