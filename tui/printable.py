"""Text from outside, made safe to show: no control code reaches the terminal, and none is hidden."""

import unicodedata

REPLACEMENT = "\ufffd"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


class _Pictures(dict[int, str]):
    """What each character is shown as, worked out when it is first met. One character for one: offsets stay true."""

    def __missing__(self, code: int) -> str:
        shown = self[code] = _picture(code)
        return shown


def _picture(code: int) -> str:
    if code in (0x09, 0x0A):
        return chr(code)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return REPLACEMENT if unicodedata.category(chr(code)) in _HIDDEN else chr(code)


_PICTURES = _Pictures()


def printable(text: str) -> str:
    """The text with control codes, direction marks and lone surrogates made visible; tabs and line ends stay.

    As long as what came in: an offset into the one is an offset into the other.
    """
    return text.translate(_PICTURES)


def one_line(text: str) -> str:
    """Printable, and on one line: every run of white space becomes a space."""
    return printable(" ".join(text.split()))
