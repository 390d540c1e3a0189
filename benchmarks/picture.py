"""The picture of the README, from a recorded session: `python -m benchmarks.picture docs/run.svg`."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from tests.tui import recorded as r
from tui.app import GonogoApp
from tui.screens.run import Run

SIZE = (120, 34)


async def _picture() -> str:
    with tempfile.TemporaryDirectory() as folder:
        client = r.Recorded(Path(folder), *r.to_migrate())
        app = GonogoApp(client, clock=r.clock)
        async with app.run_test(size=SIZE) as pilot:
            await r.settle(pilot, lambda: isinstance(app.screen, Run) and "RUNNING" in r.screen_text(app))
            await pilot.pause()
            return app.export_screenshot(title="gonogo", simplify=True)


def run_screen_svg(path: Path) -> None:
    """Write the run screen as SVG. It loads no font and nothing else from elsewhere."""
    svg = re.sub(r"@font-face\s*\{.*?\}\s*", "", asyncio.run(_picture()), flags=re.S)
    svg = re.sub(r"\bterminal-\d+-", "terminal-", svg)
    path.write_text(re.sub(r"<!-- Generated with .*? -->\n?", "", svg))


if __name__ == "__main__":
    run_screen_svg(Path(sys.argv[1]))
