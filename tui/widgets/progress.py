"""A step's progress in words and a bar, and who waits for whom."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import JsonValue
from textual.content import Content

from tui.printable import one_line, printable
from tui.widgets.row import Row, row
from tui.words import amount, elapsed, plural, took

CELLS = 18
SIGNS = {"holds": ("■ ", "fail"), "waits": ("└ ", "warn"), "us": ("└▶ ", "busy"), "behind": ("└ ", "quiet")}
STYLES = {"holds": "bold", "us": "bold"}


def progress_rows(progress: Mapping[str, JsonValue]) -> Iterator[Row]:
    """The rows that show `label`, the statement, `note`, the `queue`, `done`, `total`, `unit` and `detail`.

    What is not there is left out.
    """
    label, detail, note, queue = (progress.get(key) for key in ("label", "detail", "note", "queue"))
    if isinstance(label, str) and label:
        yield row("", (one_line(label), "bold"))
    if times := _times(progress):
        yield row("", times)
    if isinstance(note, str) and note:
        yield row(Content.styled("! ", "bold $warn"), printable(note))
    if isinstance(queue, dict):
        yield from _queue(queue)
    numbers = _numbers(progress)
    if numbers is not None:
        yield Row(Content(""), numbers)
    if isinstance(detail, str) and detail:
        yield row("", printable(detail))


def _times(progress: Mapping[str, JsonValue]) -> str:
    """`statement 3 of 5 · 0:41 · expected 2.0 s to 40.0 s`."""
    number, count, ran = (_whole(progress.get(key)) for key in ("number", "count", "elapsed_us"))
    parts = [f"statement {number} of {count}"] if number and count else []
    if ran is not None:
        parts.append(elapsed(timedelta(microseconds=ran)))
    match progress.get("estimate_us"):
        case [int() as least, int() as most]:
            parts.append(f"expected {took(least)} to {took(most)}")
    return " · ".join(parts)


def _queue(queue: Mapping[str, JsonValue]) -> Iterator[Row]:
    """The tree from who holds the lock, over our statement, to those behind it."""
    rows, behind, longest = queue.get("rows"), _whole(queue.get("behind")), _whole(queue.get("longest_us"))
    if behind and longest is not None:
        words = (
            f"{plural(behind, 'session waits', 'sessions wait')} behind our statement, the longest for {took(longest)}"
        )
        yield row(Content.styled("! ", "bold $warn"), (words, "bold $warn"))
    for branch in rows if isinstance(rows, list) else ():
        if isinstance(branch, dict):
            yield _branch(branch)


def _branch(branch: Mapping[str, JsonValue]) -> Row:
    role, text, ran = str(branch.get("role")), branch.get("text"), _whole(branch.get("took"))
    sign, shade = SIGNS.get(role, ("  ", "quiet"))
    head = Content.assemble("  " * min(_whole(branch.get("depth")) or 0, 6), (sign, f"${shade}"))
    length = f"  {took(ran)}" if ran else ""
    return row(head, (one_line(text) if isinstance(text, str) else "", STYLES.get(role, "")), (length, "$quiet"))


def _whole(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


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
