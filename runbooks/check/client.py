"""The generated client, held against the schema that it should be generated from."""

import json
import re
from pathlib import Path

from runbooks.check import matters as m
from runbooks.check.report import Remark
from runbooks.check.schema import COMMENT

_GENERATOR = re.compile(r"^\s*generator\s+\w+\s*\{(.*?)^\s*\}", re.DOTALL | re.MULTILINE)
_PROVIDER = re.compile(r'^\s*provider\s*=\s*"(prisma-client(?:-js)?)"', re.MULTILINE)
_OUTPUT = re.compile(r'^\s*output\s*=\s*"([^"]+)"', re.MULTILINE)
_INLINE = re.compile(r'"inlineSchema":\s*("(?:[^"\\]|\\.)*")')
_SETTINGS = re.compile(r"^\s*(?:generator|datasource)\s+\w+\s*\{.*?^\s*\}", re.DOTALL | re.MULTILINE)
USUAL = Path("node_modules", ".prisma", "client")
COPIES = (Path("schema.prisma"), Path("internal", "class.ts"), Path("internal", "class.js"))


def about_client(schema: Path, folder: Path) -> tuple[tuple[Remark, ...], tuple[str, ...]]:
    """Remarks on clients that are older than the schema; and which could not be looked at, in words.

    Each client holds a copy of the schema that it was generated from.
    """
    files = sorted(schema.rglob("*.prisma")) if schema.is_dir() else [schema]
    texts = {file: file.read_text("utf-8", "replace") for file in files}
    wanted = _said("\n".join(texts.values()))
    remarks, unknown = [], []
    for file, text in texts.items():
        for place in _places(file, text, folder):
            copy = _copy(place)
            if copy is None:
                unknown.append(f"the client: none is generated in {place} (prisma generate)")
            elif _said(copy) != wanted:
                remarks.append(m.SYNC.remark(file, f"the client in {place} was generated from another schema"))
    return tuple(remarks), tuple(unknown)


def _places(file: Path, text: str, folder: Path) -> list[Path]:
    found = []
    for generator in _GENERATOR.finditer(text):
        if _PROVIDER.search(generator[1]):
            output = _OUTPUT.search(generator[1])
            found.append((file.parent / output[1]).resolve() if output else _usual(folder))
    return found


def _usual(folder: Path) -> Path:
    places = (place / USUAL for place in (folder, *folder.parents))
    return next((place for place in places if place.is_dir()), folder / USUAL)


def _copy(place: Path) -> str | None:
    for name in COPIES:
        try:
            text = (place / name).read_text("utf-8", "replace")
        except OSError:
            continue
        if name.suffix == ".prisma":
            return text
        if inline := _INLINE.search(text):
            return str(json.loads(inline[1]))
    return None


def _said(text: str) -> list[str]:
    """What a schema says of models and enums, whatever its comments and spaces."""
    plain = _SETTINGS.sub("", COMMENT.sub(lambda found: found[1] or "", text))
    return sorted(" ".join(line.split()) for line in plain.split("\n") if line.strip())
