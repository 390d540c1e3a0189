"""How long a script takes to be on the screen: 5 MB beside a small one. `python -m benchmarks.review [ROUNDS]`."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from textual.strip import Strip

from runbooks.session import events as e
from tests.tui import plans
from tests.tui import recorded as r
from tui.app import GonogoApp
from tui.screens.review import Review
from tui.screens.run import Run
from tui.widgets.sql_pane import SqlPane

LINES = {
    "short lines": "INSERT INTO t VALUES (1, 'abc');\n",
    "wide characters": "INSERT INTO t VALUES (1, '漢字かな');\n",
    "one line": "INSERT INTO t VALUES (1, 'abc'); ",
}
SMALL, LARGE = 20, 5_000_000
TOLD = 60_000
"""So many statements of a script are told one by one in a plan."""


def script(line: str, size: int) -> tuple[str, e.Script]:
    """A script of that many bytes, and what a plan tells of it."""
    count = max(SMALL, size // len(line.encode()))
    ends = line.index(";")
    statements = tuple(
        e.Statement.model_construct(line=n + 1, start=n * len(line), end=n * len(line) + ends, summary="insert 1 row")
        for n in range(min(count, TOLD))
    )
    text = line * count
    return text, plans.script(f"20260401000000_{count}", text, statements)


class Watch:
    """Notes when the first line of a script was drawn."""

    def __init__(self) -> None:
        self._draw = SqlPane.render_line
        self.drawn: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def __enter__(self) -> "Watch":
        def render_line(pane: SqlPane, y: int) -> Strip:
            strip = self._draw(pane, y)
            if "INSERT" in strip.text and not self.drawn.done():
                self.drawn.set_result(time.perf_counter())
            return strip

        SqlPane.render_line = render_line  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        SqlPane.render_line = self._draw  # type: ignore[method-assign]


async def seconds(text: str, pending: e.Script) -> tuple[float, float]:
    """From the wish to see the scripts to the first line, and until all of it is there."""
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        plans.keep(Path(folder), text)
        client = r.Recorded(Path(folder), *plans.to_review(plans.planned(pending)))
        app = GonogoApp(client, clock=r.clock)
        async with app.run_test(size=(120, 40)) as pilot:
            await r.settle(pilot, lambda: isinstance(app.screen, Run) and app.screen.drawn)
            review = Review(r.clock)
            begun = time.perf_counter()
            app.push_screen(review)
            shown = await watch.drawn - begun
            await r.settle(pilot, lambda: review.sql.text.whole)
            return shown, time.perf_counter() - begun


async def main(rounds: int) -> None:
    """Small and large by turns, and the best of each: what else the machine does is in none of them."""
    for name, line in LINES.items():
        small, large = script(line, 0), script(line, LARGE)
        times = [(await seconds(*small), await seconds(*large)) for _ in range(rounds)]
        few = min(first for (first, _), _ in times)
        many = min(first for _, (first, _) in times)
        whole = min(all_of_it for _, (_, all_of_it) in times)
        print(
            f"{name:16} first lines: {1000 * few:4.0f} ms small, {1000 * many:4.0f} ms of 5 MB,"
            f" ratio {many / few:.2f}; all of it {1000 * whole:.0f} ms"
        )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
