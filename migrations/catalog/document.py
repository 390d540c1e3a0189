"""A schema as a Markdown document: the same for the same schema, whatever server it is on. Pure.

Left out is what differs from server to server, or says nothing of the data: owners, privileges, versions, storage.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from migrations.catalog import Snapshot

MARK = "<!-- Made by gonogo from the catalog, and made anew each time: what is written in here by hand is lost. -->"
_OF_A_TABLE = (
    *(("constraint", "definition"), ("index", "definition"), ("trigger", "definition"), ("policy", "definition")),
    *(("rule", "definition"), ("statistics", "definition")),
)
_STATES = ("persistence", "row security", "partitioned by", "partition", "parents", "replica identity")
_TYPES = (("enum", "labels"), ("domain", "type"), ("range", "type"), ("composite type", "columns"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

Attributes = Mapping[str, str]
Objects = Sequence[tuple[str, Attributes]]


def document(snapshot: Snapshot, title: str) -> str:
    """The whole of it, sorted by name; the columns of a table are in their order."""
    of: dict[tuple[str, str], list[tuple[str, Attributes]]] = {}
    kinds: dict[str, list[tuple[str, Attributes]]] = {}
    for key, attributes in snapshot.objects.items():
        kind, name = _split(key)
        kinds.setdefault(kind, []).append((name, attributes))
        of.setdefault((kind, attributes.get("of", "")), []).append((name, attributes))
    lines = [MARK, "", f"# {_plain(title)}"]
    for kind in ("table", "foreign table"):
        for name, attributes in sorted(kinds.get(kind, ())):
            lines += ["", *_table(kind, name, attributes, of)]
    lines += _views(kinds)
    lines += _listed("Types", ((kind, *one) for kind, key in _TYPES for one in _values(kinds, kind, key)))
    lines += _listed("Functions", _functions(kinds))
    lines += _listed("Sequences", (("sequence", *one) for one in _values(kinds, "sequence", "type")))
    lines += _listed("Extensions", (("extension", name, "") for name, _ in sorted(kinds.get("extension", ()))))
    return "\n".join(lines) + "\n"


def _split(key: str) -> tuple[str, str]:
    """The kind, which may be of two words, and the name."""
    two = ("foreign table", "materialized view", "composite type", "event trigger", "default privileges")
    kind = next((kind for kind in two if key.startswith(f"{kind} ")), key.partition(" ")[0])
    return kind, key[len(kind) + 1 :]


def _table(
    kind: str, name: str, attributes: Attributes, of: Mapping[tuple[str, str], Sequence[tuple[str, Attributes]]]
) -> Iterator[str]:
    yield f"## {_plain(name)}"
    yield ""
    states = [f"{key} {_code(attributes[key])}" for key in _STATES if key in attributes]
    if kind == "foreign table" or states:
        yield "; ".join([*(("foreign table",) if kind == "foreign table" else ()), *states]) + "."
        yield ""
    if "comment" in attributes:
        yield _plain(attributes["comment"])
        yield ""
    yield "| column | type | null | default | what it is |"
    yield "|---|---|---|---|---|"
    for column, its in of.get(("column", name), ()):
        cells = (column[len(name) + 1 :], its.get("type", ""))
        null = "no" if "not null" in its else "yes"
        yield f"| {_code(cells[0])} | {_code(cells[1])} | {null} | {_default(its)} | {_plain(its.get('comment', ''))} |"
    parts = [
        f"- {kind} {_code(_last(one, name))}: {_code(its.get(key, ''))}{_note(its)}"
        for kind, key in _OF_A_TABLE
        for one, its in sorted(of.get((kind, name), ()))
    ]
    if parts:
        yield ""
        yield from parts


def _default(its: Attributes) -> str:
    if "identity" in its:
        return f"identity {its['identity']}"
    if "generated" in its:
        return f"generated: {_code(its['generated'])}"
    return _code(its["default"]) if "default" in its else ""


def _note(its: Attributes) -> str:
    said = [its[key] for key in ("state", "comment") if key in its]
    return f" ({_plain('; '.join(said))})" if said else ""


def _last(name: str, table: str) -> str:
    """The name of something without that of its table in front."""
    return name.removeprefix(f"{table}.")


def _views(kinds: Mapping[str, Objects]) -> Iterator[str]:
    for kind in ("view", "materialized view"):
        for name, attributes in sorted(kinds.get(kind, ())):
            yield from ("", f"## {_plain(name)}", "", f"A {kind}: {_code(attributes.get('columns', ''))}")
            if "comment" in attributes:
                yield from ("", _plain(attributes["comment"]))
            yield from (
                "",
                *(f"    {_CONTROL.sub(' ', line)}" for line in attributes.get("definition", "").split("\n")),
            )


def _values(kinds: Mapping[str, Objects], kind: str, key: str) -> Iterator[tuple[str, str]]:
    for name, attributes in sorted(kinds.get(kind, ())):
        comment = f": {attributes['comment']}" if "comment" in attributes else ""
        yield name, f"{attributes.get(key, '')}{comment}"


def _functions(kinds: Mapping[str, Objects]) -> Iterator[tuple[str, str, str]]:
    for kind in ("function", "procedure", "aggregate"):
        for name, what in _values(kinds, kind, "type"):
            yield kind, name, what


def _listed(title: str, found: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    rows = [f"- {kind} {_code(name)}" + (f": {_code(what)}" if what else "") for kind, name, what in found]
    if rows:
        yield from ("", f"## {title}", "", *rows)


def _plain(text: str) -> str:
    """Running text on one line, with nothing in it that Markdown would act on."""
    shown = _CONTROL.sub(" ", text).strip()
    return re.sub(r"([\\`*\[\]<>|#])", r"\\\1", shown)


def _code(text: str) -> str:
    """A text as it is, on one line, fit for a cell of a table."""
    shown = re.sub(r"\s+", " ", _CONTROL.sub(" ", text)).strip().replace("|", "\\|")
    if not shown:
        return ""
    ticks = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    return f"{ticks} {shown} {ticks}" if "`" in shown else f"`{shown}`"
