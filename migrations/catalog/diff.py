"""The difference of two catalogs, in lines that a person reads."""

import re
from collections.abc import Iterator, Mapping

Attributes = Mapping[str, str]
Objects = Mapping[str, Attributes]

KINDS = ("schema", "extension", "table", "foreign table", "materialized view", "view", "column", "constraint", "index")
TWO_WORDS = ("foreign table", "materialized view", "composite type", "event trigger", "default privileges")
MAIN = ("type", "definition", "labels", "columns", "version")
"""What stands behind the name, if the object has it: the first of these."""
TOLD_BY_NAME = ("view", "materialized view", "trigger", "rule", "policy", "statistics", "event trigger")
"""Kinds whose definition is too long for a line."""
LONGEST = 160

_QUOTED = re.compile(r"('(?:[^']|'')*')")
_PUBLIC = re.compile(r'(?<![\w.$"])public\.')


def diff_objects(before: Objects, after: Objects) -> tuple[str, ...]:
    """Lines sorted by table. What falls or rises with its table is told for a new table, not for a dropped one."""
    lines: list[tuple[tuple[str, int, str], str]] = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new or (new is None and old is not None and _went_with_table(old, before, after)):
            continue
        kind, name = _split(key)
        place = ((new or old or {}).get("of", name), KINDS.index(kind) if kind in KINDS else len(KINDS), name)
        lines += [(place, line) for line in _lines(kind, name, old, new)]
    return tuple(line for _, line in sorted(lines))


def _lines(kind: str, name: str, old: Attributes | None, new: Attributes | None) -> Iterator[str]:
    subject = f"{kind} {_shown(name)}"
    if old is None or new is None:
        sign, attributes = ("+", new) if old is None else ("-", old)
        yield f"{sign} {subject} {_short(kind, attributes or {})}".rstrip()
        return
    for attribute in sorted(old.keys() | new.keys()):
        was, now = old.get(attribute), new.get(attribute)
        if was != now and attribute != "of":
            yield f"~ {subject}{_change(kind, attribute, was, now)}"


def _change(kind: str, attribute: str, was: str | None, now: str | None) -> str:
    if attribute == "privileges":
        return f" privileges: {_privileges(was or '', now or '')}"
    if attribute == "body" or (attribute == "definition" and kind in TOLD_BY_NAME):
        return f": its {attribute} changed"
    label = "" if attribute in MAIN else f" {attribute}:"
    return f"{label} {_cut(was)} → {_cut(now)}"


def _privileges(was: str, now: str) -> str:
    old, new = set(was.split(", ")) - {""}, set(now.split(", ")) - {""}
    return ", ".join([f"+{item}" for item in sorted(new - old)] + [f"-{item}" for item in sorted(old - new)])


def _short(kind: str, attributes: Attributes) -> str:
    if kind in TOLD_BY_NAME or kind == "sequence":
        return ""
    main = next((attributes[name] for name in MAIN if name in attributes), "")
    words = [_cut(main)] if main else []
    if kind in ("column", "domain"):
        words += [f"collate {attributes['collation']}"] if "collation" in attributes else []
        words += ["not null"] if "not null" in attributes else []
        words += [
            f"{name} {_cut(attributes[name])}" for name in ("default", "generated", "identity") if name in attributes
        ]
    words += [f"({attributes['state']})"] if "state" in attributes else []
    return " ".join(words)


def _went_with_table(old: Attributes, before: Objects, after: Objects) -> bool:
    of = old.get("of")
    return of is not None and any(
        f"{kind} {of}" in before and f"{kind} {of}" not in after for kind in ("table", "foreign table", "domain")
    )


def _split(key: str) -> tuple[str, str]:
    for kind in TWO_WORDS:
        if key.startswith(f"{kind} "):
            return kind, key[len(kind) + 1 :]
    kind, _, name = key.partition(" ")
    return kind, name


def _cut(text: str | None) -> str:
    if text is None:
        return "none"
    line = " ".join(_shown(text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _shown(text: str) -> str:
    """Without `public.`, where it is no part of a literal."""
    parts = _QUOTED.split(text)
    return "".join(part if n % 2 else _PUBLIC.sub("", part) for n, part in enumerate(parts))
