"""The pictures: run, review and hold point, at both sizes. `pytest --snapshot-update` after a look at each."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from runbooks import events as e
from tests.tui import recorded as r
from tui.app import GonogoApp

Snap = Callable[..., bool]
SCENES: dict[str, tuple[Callable[[], Sequence[e.Event]], tuple[str, ...], str]] = {
    "run": (r.to_migrate, (), "▶ RUNNING"),
    "detail": (r.to_preflight, ("2",), "GRANT pg_read_all_stats"),
    "review": (r.to_preflight, ("v", "right", "n", "n"), "LOSES DATA · drop-column"),
    "hold": (r.past_preflight, ("g",), "type P or Preflight"),
    "held": (r.to_preflight, ("g",), "GO is not possible yet"),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("scene", SCENES)
def test_picture(snap_compare: Snap, tmp_path: Path, scene: str, size: tuple[int, int]) -> None:
    events, keys, words = SCENES[scene]
    r.keep_scripts(tmp_path)
    app = GonogoApp(r.Recorded(tmp_path, *events()), clock=r.clock)

    async def press(pilot: Pilot[int]) -> None:
        await r.settle(pilot, lambda: "PRODUCTION" in r.screen_text(app))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await r.settle(pilot, lambda: words in r.screen_text(app))

    run_before: Callable[[Pilot[int]], Awaitable[None]] = press
    assert snap_compare(app, terminal_size=size, run_before=run_before)
