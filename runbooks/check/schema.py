"""Prisma's schema, held against the migrations that came with it."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from migrations.listed import listed
from runbooks.check import matters as m
from runbooks.check.changes import Changes
from runbooks.check.report import NAMED, Remark
from runbooks.check.sources import File
from runbooks.check.verdict import Verdict

SUFFIX = ".prisma"
DEEPEST = 2

COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*')
_BLOCK = re.compile(r"^[ \t]*(?P<kind>model|enum)\s+(?P<name>\w+)\s*\{(?P<body>.*?)^[ \t]*\}", re.DOTALL | re.MULTILINE)
_MAP = re.compile(r'(?<!@)@map\((?:name:\s*)?"((?:[^"\\]|\\.)*)"\)')
_MAP_ALL = re.compile(r'@@map\((?:name:\s*)?"((?:[^"\\]|\\.)*)"\)')
_RELATION = re.compile(r'@relation\((?:name:\s*)?"[^"]*"(?:,\s*)?')
_OF_CLIENT = re.compile(r"@updatedAt\b|@@?ignore\b|@default\((?:uuid|cuid|nanoid|ulid|auto)\([^)]*\)\)")


def schema_files(folder: Path) -> list[Path]:
    """The files of the schema that a migrations folder goes with: Prisma wants them beside it, or a little below."""
    root, found = folder.parent, list[Path]()
    for place, folders, names in os.walk(root):
        here = Path(place)
        deep = len(here.relative_to(root).parts) >= DEEPEST
        folders[:] = [] if deep else [name for name in folders if _may_hold(here / name, folder)]
        found += (here / name for name in names if name.endswith(SUFFIX))
    return sorted(path for path in found if path.is_file())


def _may_hold(place: Path, migrations: Path) -> bool:
    return place != migrations and place.name != "node_modules" and not place.name.startswith(".")


def _is_schema(path: Path, folder: Path) -> bool:
    if path.suffix != SUFFIX or not path.is_relative_to(folder.parent):
        return False
    inside = path.relative_to(folder.parent).parts
    return len(inside) <= DEEPEST + 1 and "node_modules" not in inside


def about_schema(changes: Changes, folder: Path, new: list[File], verdicts: Mapping[File, Verdict]) -> Iterator[Remark]:
    """A schema that changed without a new migration, or a migration that makes what no schema shows."""
    now = {path: path.read_text("utf-8", "replace") for path in schema_files(folder)}
    before = [id for path, id in changes.before.items() if _is_schema(path, folder)]
    was = [changes.repository.content(id).decode("utf-8", "replace") for id in before]
    changed = _changed(tables(was), tables(now.values()))
    if changed and not new and was:
        path, line = _place(now, changed[0])
        yield m.SCHEMA_ALONE.remark(path, f"{listed(changed, NAMED)} changed since {changes.base.words}", line=line)
    if changed or not now:
        return
    known = set(re.findall(r"\w+", "\n".join(now.values())))
    for file in new:
        unknown = [name for name in verdicts[file].makes if name not in known] if file in verdicts else []
        if unknown:
            yield m.MIGRATION_ALONE.remark(
                file.path, f"no schema file knows {listed(unknown, NAMED)}, and none changed"
            )


def _changed(was: Mapping[str, frozenset[str]], now: Mapping[str, frozenset[str]]) -> list[str]:
    """The tables that are not as they were, by name."""
    return [name for name in dict.fromkeys((*now, *was)) if was.get(name) != now.get(name)]


def tables(texts: Iterable[str]) -> dict[str, frozenset[str]]:
    """What a database would show of a schema: the name of each table and enum, with its lines.

    Comments, the order of lines, generators and what only the client knows of make no difference.
    """
    blocks = list(_BLOCK.finditer("\n".join(COMMENT.sub(lambda found: found[1] or "", text) for text in texts)))
    models = {block["name"]: _table(block) for block in blocks if block["kind"] == "model"}
    return {_table(block): frozenset(_lines(block, models)) for block in blocks}


def _table(block: "re.Match[str]") -> str:
    mapped = _MAP_ALL.search(block["body"])
    return mapped[1] if mapped else block["name"]


def _lines(block: "re.Match[str]", models: Mapping[str, str]) -> Iterator[str]:
    for line in block["body"].split("\n"):
        words = _MAP.sub("", _OF_CLIENT.sub("", line)).split()
        if not words or words[0].startswith("@@map"):
            continue
        kind = words[1].rstrip("?[]") if len(words) > 1 else ""
        mapped = _MAP.search(line)
        if block["kind"] == "model" and kind in models:
            if "fields:" not in line:
                continue  # the other side of a relation: no column
            words[:2] = [models[kind]]
        elif mapped:
            words[0] = mapped[1]
        yield _RELATION.sub("@relation(", " ".join(words))


def _place(texts: Mapping[Path, str], name: str) -> tuple[Path, int]:
    """The file and the line where a table stands; the head of the first file if it is gone."""
    for path, text in texts.items():
        for block in _BLOCK.finditer(text):
            if _table(block) == name:
                return path, text.count("\n", 0, block.start("kind")) + 1
    return next(iter(texts), Path()), 1
