"""A static text of rows, drawn again only when it would look different."""

from collections.abc import Iterable

from textual.widgets import Static

from tui.widgets.row import Pile, Row


class PileView(Static):
    """Shows rows; as high as they are."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes, markup=False)
        self._pile = Pile(())

    def show(self, rows: Iterable[Row]) -> None:
        """Show these rows instead."""
        pile = Pile(rows)
        if not pile.same(self._pile):
            self._pile = pile
            self.update(pile)

    @property
    def plain(self) -> str:
        """What it says, without its looks."""
        return "\n".join(f"{row.head.plain}{row.body.plain}" for row in self._pile.rows)
