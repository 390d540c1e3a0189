"""The app on a recorded session, at the sizes that it is made for."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from runbooks.session import events as e
from tests.tui import recorded as r
from tui.app import GonogoApp
from tui.screens.run import Run

Stage = Callable[..., AbstractAsyncContextManager[tuple[GonogoApp, r.Recorded, Pilot[int]]]]
SMALL, LARGE = (80, 24), (120, 40)


@pytest.fixture(autouse=True)
def begins_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever whoever runs the tests likes best."""
    monkeypatch.delenv("GONOGO_THEME", raising=False)


@pytest.fixture
def opened(tmp_path: Path) -> Stage:
    """Opens the app on these events, at this size."""

    @asynccontextmanager
    async def open_app(
        events: Sequence[e.Event], size: tuple[int, int] = SMALL
    ) -> AsyncIterator[tuple[GonogoApp, r.Recorded, Pilot[int]]]:
        r.keep_scripts(tmp_path)
        client = r.Recorded(tmp_path, *events)
        app = GonogoApp(client, clock=r.clock)
        async with app.run_test(size=size) as pilot:
            await r.settle(pilot, lambda: any(isinstance(s, Run) and s.drawn for s in app.screen_stack))
            yield app, client, pilot

    return open_app


@pytest.fixture(params=[pytest.param(SMALL, id="80x24"), pytest.param(LARGE, id="120x40", marks=pytest.mark.soak)])
def stage(request: pytest.FixtureRequest, opened: Stage) -> Stage:
    """Opens the app at each of the two sizes."""

    def open_app(events: Sequence[e.Event]) -> AbstractAsyncContextManager[tuple[GonogoApp, r.Recorded, Pilot[int]]]:
        return opened(events, request.param)

    return open_app
