"""The colours, dark and light. What a colour says is always said in words too."""

from textual.theme import Theme

VARIABLE = "GONOGO_THEME"
"""The environment variable that says which theme to begin with: `dark` or `light`."""

DARK_SHADES: dict[str, str] = {
    "ok": "#8fce9f",
    "warn": "#f0c674",
    "fail": "#ff8078",
    "unknown": "#d7a3f0",
    "busy": "#7cc4ff",
    "quiet": "#9aa6b3",
    "strong": "#ffffff",
    "rule": "#3a4654",
    "rule-focus": "#7cc4ff",
    "band": "#26507a",
    "band-text": "#ffffff",
    "band-protected": "#b3121d",
    "sql-keyword": "#7cc4ff",
    "sql-name": "#d5dde6",
    "sql-text": "#a8d8a0",
    "sql-number": "#f0c674",
    "sql-comment": "#9aa6b3",
    "sql-mark": "#2a3442",
}
"""Our own variables; app.tcss cannot be read without them, whatever theme is on."""

LIGHT_SHADES: dict[str, str] = {
    "ok": "#1b6b34",
    "warn": "#7a4f00",
    "fail": "#b3121d",
    "unknown": "#7b2da3",
    "busy": "#0b57a4",
    "quiet": "#4f5b68",
    "strong": "#000000",
    "rule": "#a9b4bf",
    "rule-focus": "#0b57a4",
    "band": "#26507a",
    "band-text": "#ffffff",
    "band-protected": "#b3121d",
    "sql-keyword": "#0b57a4",
    "sql-name": "#1c242c",
    "sql-text": "#1b6b34",
    "sql-number": "#7a4f00",
    "sql-comment": "#4f5b68",
    "sql-mark": "#e3eaf2",
}
"""The same, to be read on white."""


def _theme(name: str, shades: dict[str, str], surfaces: tuple[str, str, str], cursor: tuple[str, str]) -> Theme:
    """`surfaces`: the background, what lies on it, what lies on that. `cursor`: with the focus, and without it."""
    background, surface, panel = surfaces
    text = shades["sql-name"]
    return Theme(
        name=name,
        dark=shades is DARK_SHADES,
        primary=shades["busy"],
        secondary=shades["quiet"],
        accent=shades["busy"],
        warning=shades["warn"],
        error=shades["fail"],
        success=shades["ok"],
        foreground=text,
        background=background,
        surface=surface,
        panel=panel,
        variables={
            **shades,
            "block-cursor-background": cursor[0],
            "block-cursor-foreground": shades["strong"],
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": cursor[1],
            "block-cursor-blurred-foreground": text,
            "block-cursor-blurred-text-style": "none",
            "block-hover-background": panel,
            "scrollbar": shades["rule"],
            "scrollbar-background": surface,
            "scrollbar-corner-color": surface,
        },
    )


DARK = _theme("gonogo", DARK_SHADES, ("#12171d", "#171d25", "#1f2731"), ("#233c56", "#222c38"))
LIGHT = _theme("gonogo-light", LIGHT_SHADES, ("#ffffff", "#f1f4f7", "#e6ebf0"), ("#cfe1f5", "#e3e9ef"))
THEMES = {"dark": DARK, "light": LIGHT}
