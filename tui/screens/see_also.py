"""The documents that the runbook points to, as they were when the session began."""

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path

from textual import work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList

from runbooks.document.seen import kept_name
from runbooks.session.runbook import Document
from tui.printable import one_line
from tui.reading import reading_rows
from tui.screens.base import SCROLL
from tui.screens.reading import Reading
from tui.widgets.choices import Choice, Choices
from tui.widgets.row import Row, row


class SeeAlso(Reading):
    """The list, where there are several; below it the text of the one that is looked at."""

    FIXED = (("enter", "Read"), SCROLL)

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self._path = path

    def above(self) -> Iterable[Widget]:
        """The documents."""
        yield Choices(id="documents")

    def begin(self) -> None:
        """They do not change while the session goes on."""
        listed, documents = self.query_one("#documents", Choices), self.view.runbook.documents
        listed.show([Choice(str(n), row("", one_line(one.path))) for n, one in enumerate(documents)])
        chosen = next((n for n, one in enumerate(documents) if one.path == self._path), 0)
        listed.choose(str(chosen))
        listed.display = len(documents) > 1
        (self.pane if self._path or len(documents) == 1 else listed).focus()
        self._read(documents[chosen])

    def keys(self) -> tuple[str, ...]:
        """The way out."""
        return ("back", "app.help")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another one is looked at."""
        event.stop()
        if event.option_id is not None:
            self._read(self.view.runbook.documents[int(event.option_id)])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter: read it."""
        event.stop()
        self.pane.focus()

    @work(exclusive=True)
    async def _read(self, document: Document) -> None:
        self.pane.border_title = Content(f"{one_line(document.path)} · as the session began")
        self.pane.show(await asyncio.to_thread(document_rows, self.gonogo.folder, document))


def document_rows(folder: Path, document: Document) -> list[Row]:
    """The text that the session's folder keeps, if it is still that; else what is wrong."""
    try:
        data = (folder / kept_name(document)).read_bytes()
    except OSError as error:
        return [row("", (f"The session's folder does not have this document: {error.strerror}.", "$fail"))]
    if (found := hashlib.sha256(data).hexdigest()) != document.sha256:
        words = f"These are not the bytes of the record: SHA-256 {found[:12]}… instead of {document.sha256[:12]}…."
        return [row("", (words, "$fail"))]
    return reading_rows(data.decode("utf-8", errors="replace"))
