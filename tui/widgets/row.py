"""Text that hangs beside its sign, and such rows one below the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual


@dataclass(frozen=True, eq=False)
class Row(Visual):
    """A short head, and a body that wraps beside it, never below it."""

    head: Content
    body: Content

    def same(self, other: object) -> bool:
        """Whether it would be drawn alike."""
        return isinstance(other, Row) and self.head.is_same(other.head) and self.body.is_same(other.body)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """As wide as its text."""
        return self.head.cell_length + self.body.get_optimal_width(rules, container_width)

    def get_height(self, rules: RulesMap, width: int) -> int:
        """As high as the body is beside the head."""
        return max(1, self.body.get_height(rules, max(1, width - self.head.cell_length)))

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """The head on the first line; blanks below it."""
        indent = self.head.cell_length
        options = replace(options, selection=None)
        head = self.head.render_strips(max(1, indent), 1, style, options) if indent else []
        blank = Strip.blank(indent, style.rich_style)
        body = self.body.render_strips(max(1, width - indent), None, style, options) or [Strip.blank(0)]
        strips = [Strip.join([head[0] if head and n == 0 else blank, strip]) for n, strip in enumerate(body)]
        return strips if height is None else strips[:height]


class Pile(Visual):
    """Rows, one below the other."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows: Sequence[Row] = tuple(rows)

    def same(self, other: object) -> bool:
        """Whether it would be drawn alike."""
        return (
            isinstance(other, Pile)
            and len(self.rows) == len(other.rows)
            and all(a.same(b) for a, b in zip(self.rows, other.rows, strict=True))
        )

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """As wide as its widest row."""
        return max((row.get_optimal_width(rules, container_width) for row in self.rows), default=0)

    def get_height(self, rules: RulesMap, width: int) -> int:
        """All rows together."""
        return sum(row.get_height(rules, width) for row in self.rows)

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """All rows, in order."""
        strips = [strip for row in self.rows for strip in row.render_strips(width, None, style, options)]
        return strips if height is None else strips[:height]


def row(head: str | Content, body: str | Content | tuple[str, str], *more: str | Content | tuple[str, str]) -> Row:
    """A row of a head and of pieces of body. Strings are taken as they are, never as markup."""
    return Row(Content(head) if isinstance(head, str) else head, Content.assemble(body, *more))
