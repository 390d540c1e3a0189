"""Where each statement of a script stands."""

import re
from collections.abc import Sequence

_SPACE = " \t\n\r\f\v"
_GAP = re.compile(r"[ \t\n\r\f\v;]+|--[^\n\r]*")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def locate(text: str, pieces: Sequence[str]) -> list[tuple[int, int]] | None:
    """Start and end of each piece, in characters; None if they are not what the text holds, in this order.

    Between two pieces there is nothing but space, comments and semicolons.
    """
    places = []
    position = 0
    for piece in pieces:
        start = skip_gap(text, position)
        if not piece or not text.startswith(piece, start):
            return None
        position = start + len(piece)
        places.append((start, start + len(piece.rstrip(_SPACE))))
    return places if skip_gap(text, position) == len(text) else None


def skip_gap(text: str, position: int) -> int:
    """The first position from `position` on that is not space, comment or semicolon."""
    while True:
        if text.startswith("/*", position):
            position = _after_comment(text, position)
        elif found := _GAP.match(text, position):
            position = found.end()
        else:
            return position


def _after_comment(text: str, position: int) -> int:
    """The end of the comment that starts here. Comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, position):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def lines_at(text: str, offsets: Sequence[int]) -> list[int]:
    """The line, from 1, of each of some rising offsets."""
    lines = []
    line, position = 1, 0
    for offset in offsets:
        line += text.count("\n", position, offset)
        position = offset
        lines.append(line)
    return lines
