"""Text from outside, made fit to be shown: never control codes; and to stand in Markdown: never structure."""

import re

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
_ONE_LINE = str.maketrans(_PICTURES | {0x0A: " ⏎ ", 0x09: " "})
_BLOCK = str.maketrans({code: shown for code, shown in _PICTURES.items() if code not in (0x09, 0x0A)})
# C1 controls, what changes the order or the presence of what stands around it, and what no file can hold
_HIDDEN = re.compile(
    "[\x80-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_MARKUP = re.compile(r"[\\`*\[\]<>&|~$!#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_TICKS = re.compile("`+")


def one_line(text: str) -> str:
    """A text on one line, with nothing in it that a terminal or a page would act on."""
    return running(text).strip()


def block(text: str) -> str:
    """The same with its lines and tabs kept."""
    return _shown(text.replace("\r\n", "\n").translate(_BLOCK))


def running(text: str) -> str:
    """Part of a line: what stands at its ends is kept too."""
    return _shown(text.replace("\r\n", "\n").translate(_ONE_LINE))


def inline(text: str) -> str:
    """For running text, after words of ours (at the start of a line, `1.` or `-` would begin a list)."""
    return unmarked(one_line(text))


def unmarked(text: str) -> str:
    """What Markdown would act on in a line, escaped."""
    return _MARKUP.sub(lambda found: "&#124;" if found[0] == "|" else f"\\{found[0]}", text)


def code(text: str) -> str:
    """A code span. Not for tables: see `cell`."""
    shown = one_line(text) or " "
    ticks = "`" * (1 + _longest(shown))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def cell(text: str) -> str:
    """A cell of a table: a code span where the text has no pipe, since parsers differ about pipes in those."""
    if not text:
        return ""
    return inline(text) if "|" in text or "\\" in text else code(text)


def fenced(text: str, language: str = "text") -> str:
    """A fenced block."""
    shown = block(text).removesuffix("\n")
    fence = "`" * max(3, 1 + _longest(shown))
    return f"{fence}{language}\n{shown}\n{fence}"


def _longest(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)


def _shown(text: str) -> str:
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
