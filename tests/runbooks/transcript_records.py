"""Journals in memory, and texts that must not become anything else than text."""

import unicodedata
from typing import Literal, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from runbooks.journal import Record
from runbooks.journal.records import ZEROS
from runbooks.session import events as e
from tests.runbooks.conftest import walk


def recorded(events) -> list[Record]:
    return [
        Record(seq, f"2026-01-31T02:{seq // 60:02}:{seq % 60:02}.000000Z", event, ZEROS, f"{seq:064x}")
        for seq, event in enumerate(events)
    ]


def told(value, text: str):
    """The same event with every text in it that may be anything replaced."""
    match value:
        case BaseModel():
            fields = {n: f for n, f in type(value).model_fields.items() if get_origin(f.annotation) is not Literal}
            return value.model_copy(update={name: told(getattr(value, name), text) for name in fields})
        case str():
            return text if value else ""
        case tuple() | list():
            return type(value)(told(each, text) for each in value)
        case dict() if "destructive" in value:
            return {key: told(each, text) for key, each in value.items()}
        case dict():
            return dict([(text, [told(each, text) for each in value.values()])][: len(value)])
        case _:
            return value


FAILURE = e.Failure(what="It broke.", advice="Mend it.", code="55P03", detail="ERROR:  lock\n```\nDETAIL")


def hostile(text: str) -> list[Record]:
    """The sample session, and in it a step that fails, with this text wherever a text may stand."""
    events = walk()
    events[10] = events[10].model_copy(update={"failure": FAILURE, "advice": ("wait", "ask")})
    return recorded([told(event, text) for event in events])


NASTY = [
    *("```", "````\n</details>\n# h\n", "| a | b |", "a|b", "\\|", "\\", "`|`", "--- | ---", "<http://a.b>", "a@b.c"),
    *("<script>alert(1)</script>", "</details>", "<!--", "](http://x)", "![x](y)", "\n\n# head", "\n- item", "1. x"),
    *("> q", "***", "_a_", "~~x~~", "&lt;&#124;", "[#0]", "[a]: /b", "$x$", "\x1b[2J\x07", "\u202e\u2066", "a\r\nb\rc"),
    *("\x85\u2028", "`", "``` ` ``", " ", "**GO**", "\tx"),
]
outside = st.text("`|<>&\\*_[]()#-+.!~$\n\r\t ab1=:/\"'\x1b\u202e", min_size=1, max_size=30) | st.sampled_from(NASTY)


texts = outside | st.lists(st.sampled_from(NASTY), min_size=1, max_size=4).map("".join)


def hidden(shown: str) -> list[str]:
    """What a terminal or a page would act on, or what would not be seen."""
    return [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c not in "\n\t"]
