"""Which pane is shown where there is room for one only."""

from collections.abc import Mapping

from textual.content import Content
from textual.style import Style
from textual.widgets import Static


class TabBar(Static):
    """`1 Steps  2 Detail  3 Hold point`; hidden where all panes fit."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.auto_links = False

    def show(self, titles: Mapping[str, str], chosen: str) -> None:
        """Show the panes by id and title, and mark the one that is chosen."""
        pieces = []
        for number, (name, title) in enumerate(titles.items(), 1):
            looks = "bold reverse" if name == chosen else "$quiet"
            click = Style.from_meta({"@click": f"screen.pane({name!r})"})
            pieces.append(Content.styled(f" {number} {title} ", looks).stylize(click))
        self.update(Content(" ").join(pieces))
