"""Small dialogs: what is about to happen and where, and what must be typed before it does."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from runbooks.session.moved import target_of
from runbooks.session.view import RunView
from tui.printable import one_line, printable
from tui.screens.base import Shown
from tui.widgets.band import head
from tui.widgets.key_bar import hint
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row

LEAST = 2
"""So many lines of what is said are seen, however many fields there are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Something to type. With `exact`, one of these texts and nothing else, whatever the case."""

    label: str
    exact: tuple[str, ...] = ()
    keep_case: bool = False

    def wrong(self, text: str) -> str:
        """Why this is no answer; empty if it is one."""
        said = text.strip()
        if not self.exact:
            return "" if said else "Something must be written here, or escape."
        if said in self.exact or (not self.keep_case and said.casefold() in {e.casefold() for e in self.exact}):
            return ""
        wanted = printable(" or ".join(f"“{text}”" for text in self.exact))
        if not said:
            return f"Nothing is written here: type {wanted}, or escape."
        return f"That is not {wanted}: type it as it stands here, or escape."


def where(view: RunView) -> Content:
    """The environment, whether it is protected, and the target's address, as the band has them."""
    opened, target = view.opened, target_of(view)
    if opened is None:
        return Content("")
    protected = "PROTECTED" if view.protected else "not protected"
    words = f"{one_line(opened.environment.upper())} · {protected}"
    address = f" · {one_line(target.address)}" if target else ""
    return Content.assemble(head(words, protected=view.protected), address)


class Confirm(ModalScreen[tuple[str, ...] | None], Shown):
    """Says what and where; answers with what was typed (nothing, where nothing is asked), or None."""

    AUTO_FOCUS = ""
    BINDINGS = [
        Binding("escape", "back", "Back, do nothing", id="dialog.back", tooltip="Close the dialog; nothing happens"),
        Binding("enter", "accept", "Do it", id="dialog.accept", tooltip="Do what the dialog says"),
        Binding("up", "scroll(-1)", "Scroll up", show=False, id="list.dialog_up", tooltip="A line up"),
        Binding("down", "scroll(1)", "Scroll down", show=False, id="list.dialog_down", tooltip="A line down"),
    ]

    def __init__(
        self,
        view: RunView,
        heading: str,
        rows: Sequence[Row],
        asked: Sequence[Asked] = (),
        *,
        verb: str = "Do it",
        back: str = "back, nothing happens",
    ) -> None:
        super().__init__()
        self._where = where(view)
        self._protected = view.protected
        self._heading = one_line(heading)
        self._rows = rows
        self._asked = tuple(asked)
        self._verb = verb
        self._back = back
        self._early = ""

    def compose(self) -> ComposeResult:
        """Heading, where, what, the fields, the keys."""
        with Vertical(id="dialog", classes="-protected" if self._protected else ""):
            yield Static(self._heading, markup=False, id="dialog-heading")
            if self._where:
                yield Static(self._where, id="dialog-where")
            with VerticalScroll(id="dialog-body", can_focus=not self._asked):
                yield PileView(id="dialog-rows")
            for number, asked in enumerate(self._asked):
                yield Label(printable(asked.label), markup=False)
                yield Input(id=f"field-{number}")
                yield Static("", markup=False, id=f"field-{number}-complaint", classes="complaint")
            yield Static(id="dialog-keys")

    def on_mount(self) -> None:
        """The first field is where the keys go, and what was typed before it was there."""
        if not self.query("#dialog-keys"):
            return
        self.query_one("#dialog-rows", PileView).show(self._rows)
        for field in self.query(Input):
            field.cursor_blink = False
        if self._asked:
            first = self.query_one("#field-0", Input)
            self.set_focus(first, scroll_visible=False)
            first.insert_text_at_cursor(self._early)
        else:
            self.set_focus(self.query_one("#dialog-body"))
        self.watch(self.query_one("#dialog"), "virtual_size", self.on_resize)
        self.call_after_refresh(self.is_painted)

    def on_resize(self) -> None:
        """Once all is laid out, it is known how much room there is: also where a complaint takes a line more."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Heading, fields and keys are always seen; what is said gets what is left, and is scrolled if need be."""
        if not self.query("#dialog-keys"):
            return
        dialog, body = self.query_one("#dialog"), self.query_one("#dialog-body")
        beside = sum(child.outer_size.height for child in dialog.children if child is not body)
        room = max(LEAST, self.size.height - dialog.gutter.height - body.styles.margin.height - beside)
        body.styles.max_height = room
        scroll = (("↑ ↓", "scroll"),) if body.virtual_size.height > room else ()
        self.query_one("#dialog-keys", Static).update(hint(("enter", self._verb), ("esc", self._back), *scroll))
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def take_stray(self, event: events.Key) -> bool:
        """Whether a key, pressed before the dialog could be read, is settled by this.

        What was typed for a field is kept. Enter is not: nobody accepts what they have not seen.
        """
        text = event.character if self._asked and event.is_printable and event.character else ""
        if not text:
            return self.shown_at is None or event.time < self.shown_at
        if not isinstance(self.focused, Input):
            self._early += text
        elif event.is_forwarded:
            self.focused.insert_text_at_cursor(text)
        else:
            return False
        return True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field."""
        event.stop()
        self.action_accept()

    def action_accept(self) -> None:
        """Answer, if every field is."""
        if not self.is_current:
            return
        fields = list(self.query(Input))
        wrong = [asked.wrong(field.value) for asked, field in zip(self._asked, fields, strict=True)]
        if any(wrong):
            self._complain(fields, wrong)
        else:
            self.dismiss(tuple(field.value.strip() for field in fields))

    def action_scroll(self, by: int) -> None:
        """Scroll what is said, wherever the keys go."""
        self.query_one("#dialog-body").scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        """Nothing happens."""
        self.dismiss(None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was said of a field is over once another thing stands in it."""
        event.stop()
        self.query_one(f"#{event.input.id}-complaint", Static).update("")

    def _complain(self, fields: Sequence[Input], wrong: Sequence[str]) -> None:
        """Below each field that was come to; whoever goes on to an empty one has done nothing wrong yet."""
        reached = next((number for number, field in enumerate(fields) if field.has_focus), 0)
        for number, (field, words) in enumerate(zip(fields, wrong, strict=True)):
            come_to = number <= reached or field.value.strip()
            self.query_one(f"#field-{number}-complaint", Static).update(words if come_to else "")
        next(field for field, words in zip(fields, wrong, strict=True) if words).focus()
