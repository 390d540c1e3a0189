"""A timeline in HTML: a table, with a bar in each row."""

from collections.abc import Callable

from runbooks.report import parts as p
from runbooks.report.words import many, took

WIDTH = 1000
THINNEST = 4

Inline = Callable[[p.Words], str]


def timeline(part: p.Timeline, inline: Inline) -> str:
    """The table; the bars say nothing that its words do not."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("At", "What", "Result", "When and how long", "Records"))
    rows = "\n".join(_row(bar, part.whole, inline) for bar in part.bars)
    said = f"Steps and decisions in their order; a bar's whole width is {took(part.whole)}"
    more = f"<p>{many(part.left_out, 'more is', 'more are')} only told below.</p>" if part.left_out else ""
    return (
        f'<div class="scroll"><table class="timeline"><caption>{said}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>{more}"
    )


def _row(bar: p.Bar, whole: int, inline: Inline) -> str:
    start = min(bar.start * WIDTH // whole, WIDTH - THINNEST) if whole else 0
    width = max(THINNEST, min(bar.length * WIDTH // whole, WIDTH - start)) if whole else THINNEST
    drawn = (
        f'<svg viewBox="0 0 {WIDTH} 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="{bar.mark}" x="{start}" y="0" width="{width}" height="10"></rect></svg>'
    )
    cells = (inline((bar.at,)), inline(bar.words), inline(bar.result), drawn, inline((bar.refs,)))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
