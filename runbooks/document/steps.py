"""Blocks and checkboxes of a document → steps and items."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from runbooks.document.attributes import read_attributes
from runbooks.document.blocks import Fence, Task
from runbooks.document.heads import read_table
from runbooks.document.identifiers import RESERVED, is_id, slug
from runbooks.document.params import Params, check_params, flat
from runbooks.document.step_references import check_names, check_references
from runbooks.session.follow_ups import DUE, NEXT_RELEASE, is_due
from runbooks.session.runbook import ABOUT, About, Condition, FollowUp, Item, Step
from runbooks.settings.durations import EXPECTED, duration
from runbooks.settings.faults import Faults
from runbooks.settings.nearest import one_of

if TYPE_CHECKING:
    from runbooks.steps.base import StepKind

STEP_KEYS = ("id", "uses", "title", "required", "undo", "touches", "see")
RUN_ATTRIBUTES = ("id", "title", "timeout", "required", "undo", "touches", "see")
ITEM_ATTRIBUTES = ("id", "evidence", "required", "proved_by", "touches", "facts", "see")
FOLLOW_UP_ATTRIBUTES = ("id", "owner", "due")
SHELL = "shell"


class StepReader:
    """Makes steps and items, and notes what is wrong with them."""

    def __init__(self, catalogue: "Mapping[str, StepKind[Any, Any]]", faults: Faults) -> None:
        self.catalogue = catalogue
        self.faults = faults
        self._lines: dict[str, int] = {}

    def step(self, block: Fence, when: Condition | None, earlier: Mapping[str, Step]) -> Step | None:
        """The step of a `toml step` block, which may refer to `earlier` ones. None where it cannot be told."""
        table, line_of = read_table(block, self.faults)
        if table is None:
            return None
        if "when" in table:
            self.faults.add(line_of("when"), "`when` is no key", "the step under a heading `### When CONDITION`")
            del table["when"]
        head = {key: table.pop(key) for key in STEP_KEYS if key in table}
        uses = self._uses(head.get("uses"), block, line_of)
        if uses is None:
            return None
        kind = self.catalogue[uses]
        title = self._text(head, "title", line_of) or kind.title
        own = self._text(head, "id", line_of)
        params = flat(table, self.faults, line_of)
        kinds = {name: (step, self.catalogue.get(step.uses)) for name, step in earlier.items()}
        check_references(params, when, kinds, self.faults, line_of)
        check_names(kind, params, kinds, self.faults, line_of)
        return Step(
            id=self._id(own or slug(title if "title" in head else uses), block.line, line_of("id")),
            title=title,
            uses=uses,
            effect=kind.effect_with(params),
            params=params,
            required=self._flag(head, line_of),
            when=when,
            shows=check_params(Params(kind, params, STEP_KEYS), self.faults, line_of),
            see=self._text(head, "see", line_of),
            undo=self._text(head, "undo", line_of),
            touches=self._tables(head.get("touches", []), line_of("touches")),
            line=block.line,
        )

    def run_block(self, block: Fence, attributes: str, when: Condition | None) -> Step:
        """The step of a `sh run` block."""
        found = self._attributes(attributes, RUN_ATTRIBUTES, block.line, "the first line of a run block")
        if not block.text.strip():
            self.faults.add(block.line, "this run block is empty", "the commands to run")
        title = found.get("title") or _first_command(block.text)
        params: dict[str, JsonValue] = {"script": block.text}
        if "timeout" in found:
            params["timeout"] = found["timeout"]
            self._timeout(found["timeout"], block.line)
        return Step(
            id=self._id(found.get("id") or slug(title), block.line, block.line),
            title=title,
            uses=SHELL,
            effect="outside",
            params=params,
            required="required" in found,
            when=when,
            shows=block.text.rstrip("\n"),
            see=found.get("see", ""),
            undo=found.get("undo", ""),
            touches=self._tables(_parted(found.get("touches")), block.line),
            line=block.line,
        )

    def follow_up(self, task: Task, when: Condition | None) -> FollowUp:
        """The follow-up of a checkbox under Follow-ups."""
        found = self._checkbox(task, FOLLOW_UP_ATTRIBUTES, "follow-up", "what is to be done")
        for key, expected in (("owner", "who does it"), ("due", f"when: {DUE}")):
            if key not in found:
                self.faults.add(task.line, f"this follow-up has no `{key}`", f'`{key}="…"` ({expected})')
        if not is_due(found.get("due", NEXT_RELEASE)):
            self.faults.add(task.line, f"`{found['due']}` does not say when something is due", DUE)
        return FollowUp(
            id=self._id(found.get("id") or slug(task.text), task.line, task.line),
            text=task.text,
            owner=found.get("owner", ""),
            due=found.get("due", ""),
            when=when,
            line=task.line,
        )

    def item(self, task: Task, when: Condition | None) -> Item:
        """The item of a checkbox."""
        found = self._checkbox(task, ITEM_ATTRIBUTES, "item", "what a person confirms by ticking it")
        return Item(
            id=self._id(found.get("id") or slug(task.text), task.line, task.line),
            text=task.text,
            evidence=found.get("evidence"),
            see=found.get("see", ""),
            proved_by=found.get("proved_by", ""),
            touches=self._tables(_parted(found.get("touches")), task.line),
            facts=self._facts(found, task.line),
            required="required" in found,
            when=when,
            line=task.line,
        )

    def _facts(self, found: dict[str, str], line: int) -> About | None:
        wanted = found.get("facts")
        about = next((each for each in ABOUT if each == wanted), None)
        if wanted is not None and about is None:
            self.faults.add(line, f"`facts={wanted}` is not right", one_of(wanted, ABOUT))
        elif about is not None and not found.get("evidence"):
            self.faults.add(line, "`facts` without `evidence`", '`evidence="…"`: what is to be answered, in words')
        return about

    def _checkbox(self, task: Task, known: tuple[str, ...], what: str, says: str) -> dict[str, str]:
        """Its attributes; and what is wrong with any box of this sort."""
        article = "an" if what[0] in "aeiou" else "a"
        found = self._attributes(task.comment or "", known, task.line, f"the comment of {article} {what}")
        if task.ticked:
            self.faults.add(task.line, f"this {what} is ticked already", "`- [ ]`: ticks are made in a session")
        if "<!--" in task.text:
            self.faults.add(task.line, f"the comment of this {what} is never closed", "`-->`")
        if not task.text:
            self.faults.add(task.line, f"this {what} says nothing", says)
        return found

    def _uses(self, uses: object, block: Fence, line_of: Callable[[str], int]) -> str | None:
        known = sorted(name for name in self.catalogue if name != SHELL)
        if uses == SHELL:
            self.faults.add(line_of("uses"), "`shell` is no built-in step", "a block that begins with ```sh run")
        elif not isinstance(uses, str):
            self.faults.add(block.line, "this step does not say what it uses", '`uses = "…"`, ' + one_of("", known))
        elif uses not in known:
            self.faults.unknown(line_of("uses"), "step", uses, known)
        else:
            return uses
        return None

    def _text(self, head: Mapping[str, object], key: str, line_of: Callable[[str], int]) -> str:
        value = head.get(key, "")
        if isinstance(value, str) and (value.strip() or key not in head):
            return value
        self.faults.add(line_of(key), f"`{key}` is not a text", "words in quotes")
        return ""

    def _tables(self, names: object, line: int) -> tuple[str, ...]:
        if isinstance(names, list) and all(isinstance(name, str) and name.strip() for name in names):
            return tuple(name.strip() for name in names)
        self.faults.add(line, "`touches` is not right", 'names of tables: ["orders", "customers"]')
        return ()

    def _flag(self, head: Mapping[str, object], line_of: Callable[[str], int]) -> bool:
        value = head.get("required", False)
        if not isinstance(value, bool):
            self.faults.add(line_of("required"), "`required` is neither true nor false", "`true` or `false`, no quotes")
        return value is True

    def _timeout(self, text: str, line: int) -> None:
        try:
            duration(text)
        except ValueError:
            self.faults.add(line, f"the timeout `{text}` cannot be read", EXPECTED)

    def _attributes(self, text: str, known: tuple[str, ...], line: int, where: str) -> dict[str, str]:
        """Attributes by name; a flag that is off is left out."""
        try:
            found = read_attributes(text)
        except ValueError as error:
            self.faults.add(line, f"{where}: {error}", 'attributes such as id=name title="Two words" required')
            return {}
        self.faults.unknown_keys(found, known, lambda key: line)
        values = dict[str, str]()
        for name, value in found.items():
            if name == "required":
                if value not in (None, "true", "false"):
                    self.faults.add(line, f"`required` cannot be `{value}`", "`required` alone")
                if value != "false":
                    values[name] = "true"
            elif value is None or not value.strip():
                self.faults.add(line, f"`{name}` has no value", f'`{name}="…"`')
            else:
                values[name] = value
        return values

    def _id(self, name: str, line: int, id_line: int) -> str:
        if not is_id(name):
            expected = "small letters, digits and dashes, a letter first, 64 at the most"
            self.faults.add(id_line, f"`{name}` cannot be an id", expected)
        elif name in RESERVED:
            self.faults.add(id_line, f"the id `{name}` is taken: it {RESERVED[name]}", "another id")
        elif name in self._lines:
            what = f"the id `{name}` is used twice, here and in line {self._lines[name]}"
            self.faults.add(id_line, what, "an id of its own for each step and item (`id=`)")
        self._lines.setdefault(name, line)
        return name


def _parted(text: str | None) -> list[str]:
    """The names of an attribute, which have commas between them."""
    return text.split(",") if text else []


def _first_command(script: str) -> str:
    lines = (line.strip() for line in script.split("\n"))
    command = next((line for line in lines if line and not line.startswith("#")), "Run block")
    return command if len(command) <= 60 else f"{command[:59]}…"
