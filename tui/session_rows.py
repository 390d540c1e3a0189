"""Sessions as rows of a list: how each ended, where, for which ticket, by whom, and what is proven of it."""

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from textual.content import Content

from runbooks.history.sessions import Summary
from runbooks.reading.listing import environment_of
from tui.listed_rows import passed_words, review_words, to_do_words
from tui.palette import OUTCOMES, RUNNING, WAITING, Mark
from tui.printable import one_line
from tui.standing import outcome_word

GAP = "  "
_OUTCOMES: dict[str, Mark] = {
    "go": OUTCOMES["ok"],
    "no_go": OUTCOMES["fail"],
    "rolled_back": Mark("◀", "rolled back", "warn"),
    "running": RUNNING,
    "unfinished": WAITING,
}
GRADES: dict[str, Mark] = {
    "broken": Mark("✖", "BROKEN", "fail"),
    "open": Mark("○", "open", "unknown"),
    "consistent": Mark("✔", "consistent", "ok"),
    "anchored": Mark("✔", "anchored", "ok"),
    "signed": Mark("✔", "signed", "ok"),
}
UNVERIFIED = Mark("·", "not verified yet", "quiet")
VERIFYING = Mark("▶", "verifying", "busy")
UNREADABLE = Mark("✖", "cannot be read", "fail")
GRADE_WIDTH = 2 + max(len(mark.word) for mark in (*GRADES.values(), UNVERIFIED, VERIFYING, UNREADABLE))


def state_mark(session: Summary) -> Mark:
    """How a session stands, as its journal says."""
    mark = _OUTCOMES.get(session.state, OUTCOMES["unknown"])
    return Mark(mark.glyph, outcome_word(session.state), mark.shade)


def grade_mark(session: Summary, *, verifying: bool = False) -> Mark:
    """What is proven of it by now."""
    if session.grade is None and session.fault:
        return UNREADABLE
    return GRADES[session.grade] if session.grade else VERIFYING if verifying else UNVERIFIED


@lru_cache(maxsize=4096)
def cells(session: Summary) -> tuple[str, ...]:
    """Its outcome; when, where, for what, by whom, what was waived or not applicable, whether it owes a review."""
    review = ("reviewed as claimed" if session.reviewer else "owes review") if session.review_by else ""
    waived = ", ".join(part for part in (*passed_words(session), review, to_do_words(session)) if part)
    name = session.id
    when = f"{name[:4]}-{name[4:6]}-{name[6:8]} {name[9:11]}:{name[11:13]}"
    where = session.environment or environment_of(session)
    return tuple(map(one_line, (state_mark(session).word, when, where, session.ticket, session.operator, waived)))


def widths_of(sessions: Sequence[Summary]) -> tuple[int, ...]:
    """How wide each column of `cells` is."""
    columns = zip(*map(cells, sessions), strict=True)
    return tuple(max(map(cell_len, column)) for column in columns)


def is_wide(widths: Sequence[int], room: int) -> bool:
    """Whether all columns and the grade have room beside each other."""
    return len(OUTCOMES["ok"].glyph) + 1 + sum(widths) + len(GAP) * len(widths) + GRADE_WIDTH <= room


def session_rows(
    session: Summary, widths: Sequence[int], *, wide: bool, verifying: bool = False
) -> tuple[Content, ...]:
    """One session; where it is not `wide`, on two lines."""
    state, grade = state_mark(session), grade_mark(session, verifying=verifying)
    padded = [text + " " * (width - cell_len(text)) for text, width in zip(cells(session), widths, strict=True)]
    word, when, where, ticket, operator, waived = padded
    proven = Content.assemble(grade.sign, (f" {grade.word}", f"${grade.shade}"))
    begin = Content.assemble(state.sign, " ", (word, f"bold ${state.shade}"), GAP, GAP.join((when, where, ticket)), GAP)
    whose = Content.assemble((operator, "" if wide else "$quiet"), GAP, (waived, "$warn"), GAP)
    if wide:
        return (Content.assemble(begin, whose, proven),)
    return begin, Content.assemble("  ", whose, proven)


@lru_cache(maxsize=4096)
def text_of(session: Summary) -> str:
    """What a filter looks into, in small letters."""
    said = (session.id, *cells(session), session.state, session.grade or "", session.fault, review_words(session))
    return " ".join(said).casefold()
