"""Dark and light say the same, and both can be read."""

from collections.abc import Iterator
from itertools import product

import pytest
from textual.color import Color
from textual.theme import Theme

from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.app import GonogoApp
from tui.screens.confirm import Confirm
from tui.theme import DARK, DARK_SHADES, LIGHT, LIGHT_SHADES, THEMES
from tui.widgets.band import Band

ENOUGH = 4.5
"""The contrast that WCAG wants of text."""

TEXTS = ("ok", "warn", "fail", "unknown", "busy", "quiet", "strong")
SQL = ("sql-keyword", "sql-name", "sql-text", "sql-number", "sql-comment")
CURSORS = ("block-cursor-background", "block-cursor-blurred-background")


def pairs(theme: Theme) -> Iterator[tuple[str, str]]:
    """Every text, and every surface that it is written on."""
    surfaces = ("background", "surface", "panel", *CURSORS)
    yield from product((*TEXTS, "foreground", "primary", "error", "warning", "success"), surfaces)
    yield from product((*SQL, "quiet", "busy", "fail", "warn", "unknown", "ok"), ("background", "sql-mark"))
    yield from product(("block-cursor-foreground", "block-cursor-blurred-foreground"), CURSORS)
    yield from product(("band-text",), ("band", "band-protected"))


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(theme.variables.get(name) or getattr(theme, name))


def contrast(theme: Theme, text: str, surface: str) -> float:
    """As WCAG 2.2 defines it."""
    dark, light = sorted((luminance(colour(theme, text)), luminance(colour(theme, surface))))
    return (light + 0.05) / (dark + 0.05)


def luminance(of: Color) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in of.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_the_contrast_is_that_of_the_definition() -> None:
    assert contrast(LIGHT, "strong", "background") == pytest.approx(21)
    assert contrast(DARK, "background", "background") == pytest.approx(1)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_all_text_can_be_read(theme: Theme) -> None:
    contrasts = {pair: contrast(theme, *pair) for pair in pairs(theme)}
    assert not {pair: round(ratio, 2) for pair, ratio in contrasts.items() if ratio < ENOUGH}
    assert contrast(theme, "rule-focus", "background") >= 3


def test_both_have_the_same_colours_and_no_two_meanings_share_one() -> None:
    assert DARK_SHADES.keys() == LIGHT_SHADES.keys()
    assert DARK.variables.keys() == LIGHT.variables.keys()
    for shades in (DARK_SHADES, LIGHT_SHADES):
        meanings = [shades[name] for name in TEXTS]
        assert len(set(meanings)) == len(meanings)
        assert shades["band"] != shades["band-protected"]


async def test_l_switches_and_the_variable_sets_it(opened: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(r.to_backup()) as (app, _, pilot):
        assert app.theme == DARK.name
        await pilot.press("l")
        await r.settle(pilot, lambda: app.screen.styles.background == colour(LIGHT, "background"))
        await pilot.press("l")
        await r.settle(pilot, lambda: app.screen.styles.background == colour(DARK, "background"))
        assert any(command.title == "Light or dark (l)" for command in app.get_system_commands(app.screen))
    monkeypatch.setenv("GONOGO_THEME", "light")
    async with opened(r.to_backup()) as (app, _, _):
        assert app.theme == LIGHT.name and not app._notifications
    monkeypatch.setenv("GONOGO_THEME", "[red]pink\x1b[2J")
    async with opened(r.to_backup()) as (app, _, pilot):
        assert app.theme == DARK.name
        words = "GONOGO_THEME is [red]pink␛[2J; it may be dark or light."
        await r.settle(pilot, lambda: [notification.message for notification in app._notifications] == [words])


@pytest.mark.parametrize("theme", THEMES)
async def test_what_is_protected_does_not_look_like_the_rest_without_colours_either(
    opened: Stage, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("GONOGO_THEME", theme)
    reversed_words = []
    for protected in (True, False):
        events = [r.opened(protected=protected), r.planned().model_copy(update={"protected": protected})]
        async with opened([events[0], r.started("opening"), events[1], *r.to_backup()[3:]]) as (app, _, pilot):
            await r.settle(pilot, lambda: "PRODUCTION" in r.screen_text(app))
            in_band = reversed_text(app, Band)
            await pilot.press("s")
            await r.settle(pilot, lambda: isinstance(app.screen, Confirm) and "Start:" in r.screen_text(app))
            reversed_words.append((in_band, reversed_text(app, "#dialog-where")))
    assert reversed_words == [("PRODUCTION · PROTECTED", "PRODUCTION · PROTECTED"), ("", "")]


def reversed_text(app: GonogoApp, where: type[Band] | str) -> str:
    """What stands out in a widget by more than its colour."""
    region = app.screen.query_one(where).region
    strips = [strip.crop(region.x, region.right) for strip in app.screen._compositor.render_strips(app.size)]
    segments = [segment for strip in strips[region.y : region.bottom] for segment in strip]
    return "".join(s.text for s in segments if s.style and s.style.reverse).strip()
