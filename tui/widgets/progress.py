"""A step's progress in words and a bar."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue
from textual.content import Content

from tui.printable import one_line, printable
from tui.widgets.row import Row, row
from tui.words import amount

CELLS = 18


def progress_rows(progress: Mapping[str, JsonValue]) -> Iterator[Row]:
    """The rows that show `label`, `done`, `total`, `unit` and `detail`; what is not there is left out."""
    label, detail = (progress.get(key) for key in ("label", "detail"))
    if isinstance(label, str) and label:
        yield row("", (one_line(label), "bold"))
    numbers = _numbers(progress)
    if numbers is not None:
        yield Row(Content(""), numbers)
    if isinstance(detail, str) and detail:
        yield row("", printable(detail))


def _numbers(progress: Mapping[str, JsonValue]) -> Content | None:
    done, total, unit = (progress.get(key) for key in ("done", "total", "unit"))
    unit = one_line(unit) if isinstance(unit, str) else ""
    if isinstance(done, bool) or not isinstance(done, int | float):
        return None
    if isinstance(total, bool) or not isinstance(total, int | float) or total <= 0:
        return Content(amount(done, unit))
    share = min(1.0, max(0.0, done / total))
    full = round(share * CELLS)
    return Content.assemble(
        ("█" * full, "$busy"),
        ("░" * (CELLS - full), "$rule"),
        f" {int(share * 100)} %  ",
        (f"{amount(done, '' if unit != 'bytes' else unit)} of {amount(total, unit)}", "$quiet"),
    )
