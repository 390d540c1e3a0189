"""Blocks of a document → its parts: what belongs to which phase, option or table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from runbooks.document.blocks import Block, Comment, Fence, Heading, Lost, Table, Task
from runbooks.document.heads import read_advice, read_head
from runbooks.document.people import is_of_people, read_people
from runbooks.document.steps import StepReader
from runbooks.session.runbook import CONDITIONS, PHASES, Advice, Condition, Contact, FollowUp, Item, Step
from runbooks.settings.faults import Faults
from runbooks.settings.nearest import nearest

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind

Sort = Literal["intro", "phase", "rollback", "option", "troubleshooting", "contacts", "follow-ups", "unknown"]

SECTIONS: dict[str, Sort] = {
    **dict.fromkeys(PHASES, "phase"),
    "rollback": "rollback",
    "troubleshooting": "troubleshooting",
    "contacts": "contacts",
    "follow-ups": "follow-ups",
}
BLOCKS = ("runbook", "step", "option")
SHELLS = ("bash", "shell", "zsh", "dash", "ksh", "fish", "console", "run")


@dataclass(slots=True)
class Part:
    """A stretch of the document under one heading. `taken` are the lines that are not prose."""

    sort: Sort
    title: str
    line: int
    steps: list[Step] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)
    head: dict[str, str] | None = field(default_factory=dict)
    advice: list[Advice] = field(default_factory=list)
    people: list[Contact] = field(default_factory=list)
    taken: list[tuple[int, int]] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    when: Condition | None = None
    head_line: int = 0

    @property
    def runs(self) -> bool:
        """Whether steps and items may stand here."""
        return self.sort in ("phase", "option", "unknown")

    def prose(self, lines: list[str], end: int) -> str:
        """What is left for reading, up to line `end`: without what was taken, and without headings over nothing."""
        kept = {n: lines[n - 1] for n in range(self.line, end)}
        for first, after in self.taken:
            kept.update(dict.fromkeys(range(first, after), ""))
        ends = [*self.headings[1:], end]
        for first, after in reversed(list(zip(self.headings, ends, strict=False))):
            if not any(kept[n].strip() for n in range(first + 1, after)):
                kept[first] = ""
        return re.sub(r"\n{3,}", "\n\n", "\n".join(kept.values())).strip("\n")


class SectionReader:
    """Reads blocks in order into `parts`, and notes every fault on the way."""

    def __init__(self, catalogue: "Mapping[str, StepKind[Any, Any]]", faults: Faults) -> None:
        self.faults = faults
        self.parts = [Part("intro", "", 1)]
        self._steps = StepReader(catalogue, faults)

    @property
    def here(self) -> Part:
        """The part that is being read."""
        return self.parts[-1]

    def read(self, blocks: list[Block]) -> list[Part]:
        """All parts, the introduction first."""
        for block in blocks:
            match block:
                case Heading():
                    self._heading(block)
                case Fence():
                    self._fence(block)
                case Task():
                    self._task(block)
                case Table() if self.here.sort == "troubleshooting":
                    self._take(block)
                    self.here.advice.extend(read_advice(block, self.faults))
                case Table() if self.here.sort == "contacts" and is_of_people(block):
                    self._take(block)
                    self.here.people.extend(read_people(block, self.faults))
                case Comment():
                    self._take(block)
                case Lost():
                    self.faults.add(block.line, block.what, block.expected)
                case Table():
                    pass
        return self.parts

    def _take(self, block: Block) -> None:
        self.here.taken.append((block.line, block.end))

    def _heading(self, block: Heading) -> None:
        if block.level == 1:
            self._title(block)
        elif block.level == 2:
            self._section(block)
        elif self.here.sort in ("rollback", "option") and block.level == 3:
            if not block.text:
                self.faults.add(block.line, "this way back has no name", "`### Name of the option`")
            self.parts.append(Part("option", block.text, block.line))
            self._take(block)
        else:
            self.here.headings.append(block.line)
            if self.here.runs or self.here.sort == "follow-ups":
                self._condition(block)

    def _title(self, block: Heading) -> None:
        if self.here.sort == "intro" and not self.here.title:
            self.here.title = block.text
            self._take(block)
        else:
            expected = (
                f"`## {block.text}`" if block.text.lower() in SECTIONS else "one heading with a single #, the first"
            )
            self.faults.add(block.line, f"`# {block.text}` is a second title", expected)

    def _section(self, block: Heading) -> None:
        name = block.text.lower()
        sort = SECTIONS.get(name, "unknown")
        if sort == "unknown":
            known = [known.capitalize() for known in SECTIONS]
            self.faults.unknown(block.line, "section", block.text, known)
        elif any(part.title.lower() == name and part.sort == sort for part in self.parts):
            self.faults.add(block.line, f"the section `{block.text}` stands here a second time", "each section once")
        elif sort == "phase":
            later = [p for p in self.parts if p.sort == "phase" and _order(p.title) > _order(name)]
            if later:
                what = f"`{block.text}` stands after `{later[-1].title}`"
                self.faults.add(block.line, what, "the order " + ", ".join(p.capitalize() for p in PHASES))
        self.parts.append(Part(sort, block.text.capitalize(), block.line))
        self._take(block)

    def _condition(self, block: Heading) -> None:
        first, _, rest = block.text.partition(" ")
        condition = rest.strip().lower()
        known = next((c for c in CONDITIONS if c == condition), None)
        if first.lower() == "when":
            if known is None:
                self.faults.unknown(block.line, "condition", rest.strip(), CONDITIONS)
            self.here.when = known
        elif known or (rest and nearest(first, ["when"]) and nearest(condition, CONDITIONS)):
            self.faults.add(block.line, f"`{block.text}` is no condition", f"`### When {known or 'CONDITION'}`")
        elif block.level == 3:
            self.here.when = None

    def _fence(self, block: Fence) -> None:
        language, word, attributes = [*block.info.split(maxsplit=2), "", "", ""][:3]
        match language.lower(), word:
            case ("toml", ("runbook" | "step" | "option") as tag):
                if self._usable(block, f"toml {tag}"):
                    self._tagged(block, tag, attributes)
            case ("toml", str(other)) if other:
                self.faults.unknown(block.line, "block", f"toml {other}", [f"toml {known}" for known in BLOCKS])
            case ("sh", "run"):
                if self._usable(block, "sh run") and self._may_run(block.line, "run block"):
                    self._take(block)
                    self.here.steps.append(self._steps.run_block(block, attributes, self.here.when))
            case ("sh", str(other)) if other:
                self.faults.unknown(block.line, "block", f"sh {other}", ["sh run"])
            case (shell, "run") if shell in SHELLS:
                self.faults.add(block.line, f"`{shell} run` is no block", "`sh run`: run blocks run under /bin/sh -eu")
            case (("step" | "option" | "runbook") as tag, ""):
                self.faults.add(block.line, f"a block `{tag}` is reading matter", f"`toml {tag}`")
            case _ if not block.closed:
                self.faults.add(block.line, "this block is never closed", "a line with ``` at its end")

    def _usable(self, block: Fence, tag: str) -> bool:
        if not block.closed:
            self.faults.add(block.line, f"this `{tag}` block is never closed", "a line with ``` at its end")
        if block.quoted:
            self.faults.add(block.line, f"a `{tag}` block stands inside a quotation", "the block outside of it")
        return block.closed and not block.quoted

    def _tagged(self, block: Fence, tag: str, attributes: str) -> None:
        self._take(block)
        if attributes.strip():
            self.faults.add(
                block.line, f"`{attributes.strip()}` cannot stand here", f"only `toml {tag}`; keys go inside"
            )
        if tag == "step":
            if self._may_run(block.line, "step"):
                step = self._steps.step(block, self.here.when, self._earlier())
                self.here.steps.extend([step] if step else [])
            return
        where = "intro" if tag == "runbook" else "option"
        if self.here.sort != where:
            expected = "it before the first phase" if tag == "runbook" else "it under `## Rollback`, `### Name`"
            self.faults.add(block.line, f"a `toml {tag}` block cannot stand here", expected)
        elif self.here.head_line:
            self.faults.add(block.line, f"a second `toml {tag}` block", f"one, as in line {self.here.head_line}")
        else:
            self.here.head_line = block.line
            self.here.head = read_head(block, tag, self.faults)

    def _may_run(self, line: int, what: str) -> bool:
        if self.here.runs:
            return True
        places = {"rollback": "it under `### Name`, a way back of its own"}
        self.faults.add(line, f"this {what} belongs to no phase", places.get(self.here.sort, "it under a phase"))
        return False

    def _earlier(self) -> dict[str, Step]:
        phases = [part for part in self.parts if part.sort in ("phase", "unknown")]
        return {step.id: step for part in [*phases, self.here] for step in part.steps}

    def _task(self, block: Task) -> None:
        self._take(block)
        if block.quoted:
            self.faults.add(block.line, "an item stands inside a quotation", "the item outside of it")
        elif self.here.sort == "follow-ups":
            self.here.follow_ups.append(self._steps.follow_up(block, self.here.when))
        elif self._may_run(block.line, "item"):
            self.here.items.append(self._steps.item(block, self.here.when))


def _order(title: str) -> int:
    return [str(phase) for phase in PHASES].index(title.lower())
