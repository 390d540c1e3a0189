"""The colours. What a colour says is always said in words too."""

from textual.theme import Theme

SHADES: dict[str, str] = {
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

DARK = Theme(
    name="gonogo",
    primary="#7cc4ff",
    secondary="#9aa6b3",
    accent="#7cc4ff",
    warning="#f0c674",
    error="#ff8078",
    success="#8fce9f",
    foreground="#d5dde6",
    background="#12171d",
    surface="#171d25",
    panel="#1f2731",
    variables={
        **SHADES,
        "block-cursor-background": "#233c56",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#222c38",
        "block-cursor-blurred-foreground": "#d5dde6",
        "block-cursor-blurred-text-style": "none",
        "block-hover-background": "#1f2731",
        "scrollbar": "#3a4654",
        "scrollbar-background": "#171d25",
        "scrollbar-corner-color": "#171d25",
    },
)
