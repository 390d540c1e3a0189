"""Line comments of a script, where they stand and which statement they are about."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from migrations.sql.script import Script


@dataclass(frozen=True, slots=True)
class Comment:
    """`text` is what follows the dashes; `line` counts from 1. `statement` is the index of the one that it stands in,
    behind on the same line, or ahead of; None where none follows."""

    text: str
    line: int
    statement: int | None


def comments_of(script: Script, word: str) -> Iterator[Comment]:
    """The line comments that hold `word`, in order. None of a script that cannot be read."""
    if word not in script.text or script.error:
        return
    from migrations.sql.parse import NotReadable, line_comments

    try:
        found = line_comments(script.text)
    except NotReadable:
        return
    ends = [statement.end for statement in script.statements]
    for start, end in found:
        text = script.text[start:end].removeprefix("--").strip()
        if word in text:
            line = script.text.count("\n", 0, start) + 1
            yield Comment(text, line, _statement(script, ends, start))


def _statement(script: Script, ends: list[int], start: int) -> int | None:
    following = bisect_right(ends, start)
    inside = following < len(ends) and script.statements[following].start <= start
    if not inside and following and "\n" not in script.text[ends[following - 1] : start]:
        return following - 1
    return following if following < len(ends) else None
