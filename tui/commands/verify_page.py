"""`gonogo transcript verify transcript.html`: the journal that a page was made of, and whether it still is that."""

from pathlib import Path

from migrations.problem import Misuse
from runbooks.history.places import journal_of
from runbooks.journal import NAME
from runbooks.journal.grade import Grade
from runbooks.report.compare import Comparison, compare_page, made


def page_of(session: str | None) -> Path | None:
    """The page that was meant, if one was."""
    page = Path(session) if session and session.lower().endswith((".html", ".htm")) else None
    return page if page and page.is_file() else None


def journal_of_page(page: Path, journal: str | None, project_file: Path | None) -> Path:
    """The journal that was given; else the one beside the page; else that of the session which the page names."""
    if journal is not None:
        return journal_of(journal, project_file)
    if (beside := page.parent / NAME).is_file():
        return beside
    try:
        return journal_of(made(page).session, project_file)
    except Misuse as misuse:
        advice = "Put its journal.jsonl beside it, or name one with --journal."
        raise Misuse(f"The journal of {page} is not here: {misuse.what}", advice=advice) from None


def compared(page: Path, journal: Path, grade: Grade) -> Comparison:
    """The page against the journal."""
    if grade == "broken":
        return Comparison("unknown", ("the journal does not hold",))
    return compare_page(page, journal)
