"""A screen whose text is read, and scrolled."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from tui.screens.base import BACK, SCROLL, SessionScreen
from tui.widgets.band import Band
from tui.widgets.key_bar import KeyBar
from tui.widgets.lines_pane import LinesPane


class Reading(SessionScreen):
    """Band, text, keys. The text does not move under the reader: the session goes on without it."""

    BINDINGS = [BACK]
    FIXED: ClassVar[tuple[tuple[str, str], ...]] = (SCROLL,)

    def __init__(self) -> None:
        super().__init__()
        self.pane = LinesPane(id="text")

    def compose(self) -> ComposeResult:
        """What is read stands between the band and the keys."""
        yield Band(self.gonogo.clock)
        yield from self.above()
        yield self.pane
        yield KeyBar()

    def above(self) -> Iterable[Widget]:
        """What else stands below the band."""
        return ()
