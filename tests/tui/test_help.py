"""Help and the palette tell the truth: every key that is bound, as it is bound."""

from collections.abc import Sequence

import pytest
from textual.screen import Screen

from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.screens.help import Help
from tui.screens.review import Review
from tui.screens.run import Run
from tui.widgets.pile_view import PileView


def bound(screen: type[Screen[None]]) -> Sequence[tuple[str, str]]:
    """First key and words of each binding that a screen declares, its base's too."""
    classes = [c for c in screen.__mro__ if "BINDINGS" in vars(c) and c.__module__.startswith("tui.")]
    return [(b.key.split(",")[0], b.description) for c in classes for b in c.BINDINGS]  # type: ignore[union-attr]


@pytest.mark.parametrize(("keys", "screen"), [((), Run), (("v",), Review)])
async def test_help_lists_every_binding(stage: Stage, keys: tuple[str, ...], screen: type[Screen[None]]) -> None:
    async with stage(r.to_preflight()) as (app, _, pilot):
        await pilot.press(*keys)
        await r.settle(pilot, lambda: isinstance(app.screen, screen))
        await pilot.press("question_mark")
        await r.settle(pilot, lambda: isinstance(app.screen, Help) and app.screen.query_one(PileView).plain)
        lines = app.screen.query_one(PileView).plain.split("\n")
        for key, words in bound(screen):
            name = {"question_mark": "?", "right": "→", "left": "←", "escape": "esc", "slash": "/"}.get(key, key)
            assert any(line.startswith(f"{name} ") and words in line for line in lines), (key, words)
        await pilot.press("q")
        await r.settle(pilot, lambda: isinstance(app.screen, screen))


async def test_help_begins_with_the_screens_own_keys_and_words_them_as_keyboards_do(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, _, pilot):
        await pilot.press("question_mark")
        await r.settle(pilot, lambda: isinstance(app.screen, Help) and app.screen.query_one(PileView).plain)
        lines = app.screen.query_one(PileView).plain.split("\n")
        assert lines[0].startswith("s ")
        for keys, words in (
            ("ctrl+c ctrl+q", "Detach"),
            ("enter", "Choose"),
            ("↓ j", "Down"),
            ("ctrl+p", "All commands"),
        ):
            assert sum(line.startswith(f"{keys:<14} {words}  ") for line in lines) == 1, keys


async def test_every_binding_has_an_id_and_says_what_it_does(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, _, _pilot):
        for binding in [b for c in (Run, Review) for b in c.BINDINGS]:
            assert binding.id and binding.tooltip, binding  # type: ignore[union-attr]
        titles = {command.title for command in app.get_system_commands(app.screen)}
        for key, words in bound(Run):
            assert any(title.startswith(f"{words} (") for title in titles), (key, words)
