"""A Markdown document → a Runbook, or everything that is wrong with it, each with its line."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrations.problem import Misuse
from runbooks.document.blocks import read_blocks
from runbooks.document.identifiers import is_id, slug
from runbooks.document.linked import check_linked
from runbooks.document.sections import SECTIONS, Part, SectionReader
from runbooks.session.runbook import PHASES, WAYS, Advice, Document, Item, Option, Phase, PhaseName, Runbook
from runbooks.session.series import Series
from runbooks.settings.faults import DocumentError, Fault, Faults
from runbooks.settings.nearest import nearest

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind

_PASSWORD = re.compile(r"://[^\s/@:\"'`]*:([^\s/@\"'`$<{*…][^\s/@\"'`]*)@")
_STANDS_FOR_ONE = ("password", "pass", "pw", "secret", "xxx")
INSPECTS = "series.inspect"
LARGEST = 256_000
"""Bytes. A runbook is read by a person; what is larger is another file."""


def read_runbook(
    source: Path | str, *, name: str = "", catalogue: "Mapping[str, StepKind[Any, Any]] | None" = None
) -> Runbook:
    """The runbook in a file (a Path) or a text (a str). `name` is what errors call it.

    Raises DocumentError with all faults, or Misuse for a file that cannot be read.
    """
    name = name or called(source)
    runbook, faults = read_with_faults(source, name, catalogue)
    if faults.found:
        raise DocumentError(name, faults.found)
    return runbook


def called(source: Path | str) -> str:
    """What errors call a document that has no other name."""
    return source.name if isinstance(source, Path) else "the runbook"


def read_with_faults(
    source: Path | str, name: str, catalogue: "Mapping[str, StepKind[Any, Any]] | None" = None
) -> tuple[Runbook, Faults]:
    """The same, as far as it can be read, and what is wrong with it. Raises DocumentError if it is no text, Misuse."""
    data = read_bytes(source) if isinstance(source, Path) else source.encode("utf-8", "surrogatepass")
    text = decode(data, name)
    if catalogue is None:
        from runbooks.steps import catalogue as built_in

        catalogue = built_in()
    faults = Faults()
    parts = SectionReader(catalogue, faults).read(read_blocks(text))
    check_linked(parts, faults)
    note_passwords(text, faults)
    return _Assembly(parts, text.split("\n"), faults).runbook(name, hashlib.sha256(data).hexdigest()), faults


def note_passwords(text: str, faults: Faults) -> None:
    """What stands in a runbook is in git, on the screen and in every record."""
    for number, line in enumerate(text.split("\n"), 1):
        for found in _PASSWORD.finditer(line):
            if found[1].lower() not in _STANDS_FOR_ONE:
                faults.add(number, "a password stands in an address", 'a variable that holds the address, `"$URL"`')


def read_bytes(path: Path) -> bytes:
    """The bytes of a document. Raises Misuse if the file is not there, or is not a file that can be read."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        advice = "Correct its name, or write it: `gonogo runbook show staging` prints one to begin from."
        raise Misuse(f"There is no runbook {path}.", advice=advice) from None
    except OSError as error:
        raise Misuse(f"The runbook {path} cannot be read: {error.strerror}.", advice="Check what it is.") from None


def decode(data: bytes, name: str) -> str:
    """The text of a document, with `\\n` at the end of each line and no BOM. Raises DocumentError."""
    if len(data) > LARGEST:
        raise DocumentError(
            name, [Fault(1, f"it is larger than {LARGEST // 1000} kB", "a runbook that people can read")]
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError(name, [Fault(line, "a byte here is not UTF-8", "the file saved as UTF-8")]) from None
    if not text.strip():
        raise DocumentError(name, [Fault(1, "it is empty", "six phases: `## Backup` to `## Smoke`")])
    return re.sub(r"\r\n?", "\n", text)


class _Assembly:
    def __init__(self, parts: list[Part], lines: list[str], faults: Faults) -> None:
        self.parts = parts
        self.faults = faults
        ends = [part.line for part in parts[1:]] + [len(lines) + 1]
        self.prose = {id(part): part.prose(lines, end) for part, end in zip(parts, ends, strict=True)}

    def runbook(self, name: str, sha256: str) -> Runbook:
        head = self.parts[0].head or {}
        return Runbook(
            name=head.get("name", name),
            owner=head.get("owner", ""),
            reviewed=head.get("reviewed", ""),
            review_every=head.get("review_every", ""),
            sha256=sha256,
            prose=self.prose[id(self.parts[0])],
            rollback=self._text("rollback"),
            contacts=self._text("contacts"),
            documents=self._documents(head),
            people=tuple(person for part in self._of("contacts") for person in part.people),
            follow_ups=tuple(one for part in self._of("follow-ups") for one in part.follow_ups),
            series=self._series(),
            phases=tuple(phase for name in PHASES for phase in self._phase(name)),
            options=self._options(),
            troubleshooting=self._troubleshooting(),
        )

    def _of(self, sort: str) -> list[Part]:
        return [part for part in self.parts if part.sort == sort]

    def _text(self, sort: str) -> str:
        return "\n\n".join(text for part in self._of(sort) if (text := self.prose[id(part)]))

    def _series(self) -> Series | None:
        intro = self.parts[0]
        head = intro.head or {}
        given = [key for key in ("series", "stage") if key in head]
        if len(given) == 1:
            lacks = "stage" if given == ["series"] else "series"
            self.faults.add(intro.head_line, f"`{given[0]}` stands here without `{lacks}`", f"`{lacks} = …` beside it")
        if len(given) < 2:
            return None
        preflight = [step.uses for part in self._of("phase") if part.title == "Preflight" for step in part.steps]
        if INSPECTS not in preflight:
            expected = f'a step `uses = "{INSPECTS}"` in Preflight'
            self.faults.add(
                intro.head_line, "this is a stage of a series, and nothing looks whether it is its turn", expected
            )
        return Series(name=head["series"], stage=int(head["stage"]))

    def _phase(self, name: PhaseName) -> list[Phase]:
        for part in self._of("phase"):
            if part.title.lower() == name:
                prose = self.prose[id(part)]
                steps, items = tuple(part.steps), tuple(part.items)
                return [Phase(name=name, title=part.title, prose=prose, steps=steps, items=items)]
        if not any(nearest(part.title, SECTIONS) == name for part in self._of("unknown")):
            self.faults.add(1, f"the phase {name.capitalize()} is missing", f"`## {name.capitalize()}`")
        return []

    def _options(self) -> tuple[Option, ...]:
        lines = dict[str, int]()
        return tuple(self._option(part, lines) for part in self._of("option"))

    def _option(self, part: Part, lines: dict[str, int]) -> Option:
        head = part.head or {}
        name = head.get("id") or slug(part.title)
        if not is_id(name):
            self.faults.add(part.head_line, f"`{name}` cannot be an id", "small letters, digits and dashes")
        elif name in lines:
            self.faults.add(
                part.line, f"the way back `{name}` stands twice, also in line {lines[name]}", "another name"
            )
        lines.setdefault(name, part.line)
        for key, words in (("costs", "how long it takes"), ("loses", "what is lost by it")):
            if part.head is not None and key not in part.head:
                what = f"the way back `{part.title}` does not say what it {key}"
                self.faults.add(part.head_line or part.line, what, f'`{key} = "…"` ({words}) in a `toml option` block')
        until = next((phase for phase in PHASES if phase == head.get("until")), None)
        return Option(
            id=name,
            title=part.title,
            prose=self.prose[id(part)],
            steps=tuple(part.steps),
            items=(*self._read_by(name, part, head), *part.items),
            way=next((way for way in WAYS if way == head.get("way")), None),
            costs=head.get("costs", ""),
            loses=head.get("loses", ""),
            until=until,
            read_by=head.get("read_by", ""),
            see=head.get("see", ""),
            application=head.get("application", ""),
        )

    def _documents(self, head: dict[str, str]) -> tuple[Document, ...]:
        """Each once, in the order in which the text names them."""
        named = [(path, self.parts[0].head_line) for path in head.get("see", "").split("\n")]
        for part in self.parts:
            named += [(step.see, step.line) for step in part.steps]
            named += [(item.see, item.line) for item in part.items]
            named += [((part.head or {}).get("see", ""), part.head_line)] if part.sort == "option" else []
        first = {path: line for path, line in sorted(named, key=lambda each: -each[1]) if path}
        return tuple(Document(path=path, line=line) for path, line in sorted(first.items(), key=lambda each: each[1]))

    def _read_by(self, name: str, part: Part, head: dict[str, str]) -> tuple[Item, ...]:
        """Who must read a way back is asked for before anything of it changes something."""
        if (who := head.get("read_by")) is None:
            return ()
        id, line = f"{name}-read", part.head_line
        taken = {step.id for one in self.parts for step in one.steps} | {i.id for one in self.parts for i in one.items}
        if id in taken:
            self.faults.add(line, f"the id `{id}` is taken: `read_by` asks under it", "another id")
        text = f"{who} has read this way back, and agrees to it"
        return (Item(id=id, text=text, evidence="who read it", required=True, first=True, line=line),)

    def _troubleshooting(self) -> tuple[Advice, ...]:
        return tuple(advice for part in self._of("troubleshooting") for advice in part.advice)
