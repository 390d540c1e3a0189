"""Output: the last lines, wrapped, followed until one scrolls away."""

from pathlib import Path

from rich.cells import cell_len
from textual.app import App, ComposeResult

from runbooks.session import events as e
from runbooks.session.view import KEPT_LINES, RunView, fold
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.widgets.fold import Rows, hang, part, piece, rows
from tui.widgets.fold import fold as cut
from tui.widgets.output_pane import OutputPane


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield OutputPane(id="output")


def output(text: str, attempt: int = 1) -> e.StepOutput:
    return e.StepOutput(step="dump", attempt=attempt, stream="out", text=text)


def after(view: RunView, *events: e.Event) -> RunView:
    return fold(((view.seq + 1 + n, "2026-01-31T02:03:04Z", event) for n, event in enumerate(events)), view)


async def test_lines_are_added_not_drawn_anew_and_old_ones_let_go() -> None:
    app = Shown()
    async with app.run_test(size=(40, 10)) as pilot:
        pane = app.query_one(OutputPane)
        view = after(RunView(), r.started("dump"))
        for batch in range(30):
            view = after(view, output("".join(f"line {batch * 100 + n}\n" for n in range(100))))
            pane.show("dump", view.step("dump"))
        await pilot.pause()
        lines = pane.plain.split("\n")
        assert lines == [f"line {n}" for n in range(3000 - KEPT_LINES, 3000)]
        assert "line 2999" in r.screen_text(app)


async def test_it_follows_the_end_until_one_scrolls_away_from_it() -> None:
    app = Shown()
    async with app.run_test(size=(40, 10)) as pilot:
        pane = app.query_one(OutputPane)
        pane.focus()
        view = after(RunView(), r.started("dump"), output("".join(f"old {n}\n" for n in range(50))))
        pane.show("dump", view.step("dump"))
        await r.settle(pilot, lambda: "old 49" in r.screen_text(app))
        await pilot.press("pageup")
        await r.settle(pilot, lambda: "old 49" not in r.screen_text(app))
        before = r.screen_text(app)
        view = after(view, output("new\n"))
        pane.show("dump", view.step("dump"))
        await pilot.pause()
        assert r.screen_text(app)[:200] == before[:200]
        await pilot.press("end")
        await r.settle(pilot, lambda: "new" in r.screen_text(app))
        view = after(view, output("newest\n"))
        pane.show("dump", view.step("dump"))
        await r.settle(pilot, lambda: "newest" in r.screen_text(app))


async def test_a_new_attempt_begins_with_nothing_and_wide_text_wraps() -> None:
    app = Shown()
    async with app.run_test(size=(21, 10)) as pilot:
        pane = app.query_one(OutputPane)
        view = after(RunView(), r.started("dump"), output("first\n"))
        pane.show("dump", view.step("dump"))
        view = after(view, r.started("dump", attempt=2), output("漢字" * 30 + "\n" + "x" * 60 + "\n", attempt=2))
        pane.show("dump", view.step("dump"))
        await pilot.pause()
        assert "first" not in pane.plain
        assert pane.plain.replace("\n", "") == "漢字" * 30 + "x" * 60


async def test_what_is_no_longer_kept_is_said_with_the_record_where_it_starts(opened: Stage) -> None:
    text = "".join(f"line {n}\n" for n in range(KEPT_LINES + 5))
    async with opened([*r.to_backup(), r.started("dump"), output(text)]) as (app, _, pilot):
        await pilot.press("2")
        await r.settle(pilot, lambda: "5 older lines only in the journal, from record 6" in r.screen_text(app))


def test_pieces_of_a_line_are_the_rows_that_it_takes() -> None:
    for text in ("", "abc", "x" * 25, "漢字漢" * 7, "e\u0301" * 12, "a漢" * 9):
        for width in (1, 2, 3, 10):
            parts = cut(text, width)
            assert all(len(one) == 1 or cell_len(one) <= width for one in parts)
            assert "".join(parts) == text and rows(text, width) == len(parts)
            assert [text[slice(*piece(text, width, n))] for n in range(len(parts))] == parts
            stood_in = [part(text, width, at) for at in range(len(text))]
            assert stood_in == [n for n, one in enumerate(parts) for _ in one]
    assert hang("  one two three", 12) == ["  one two ", "  three"]
    assert hang("        deep", 12) == cut("        deep", 12)
    layout = Rows([1, 3, 2])
    assert [layout.at(n) for n in range(len(layout))] == [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]


def test_the_picture_for_the_readme_can_be_made(tmp_path: Path) -> None:
    from benchmarks.picture import run_screen_svg

    run_screen_svg(tmp_path / "run.svg")
    text = (tmp_path / "run.svg").read_text()
    assert "PRODUCTION" in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")
