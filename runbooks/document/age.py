"""When a runbook was last read with care, and whether that is too long ago."""

from datetime import date

from migrations.listed import many
from runbooks.session.runbook import Runbook
from runbooks.settings.durations import duration

USUAL = "365d"


def overdue(book: Runbook, today: date) -> str:
    """Why somebody should read it again, in words; empty where nobody need, or where it says no date."""
    if not book.reviewed:
        return ""
    read, every = date.fromisoformat(book.reviewed), duration(book.review_every or USUAL).days
    days = (today - read).days
    if days < 0:
        return f"it says that it was reviewed on {book.reviewed}, which is yet to come"
    if days <= every:
        return ""
    whose = f"; it belongs to {book.owner}" if book.owner else "; it says no `owner`"
    return f"it was reviewed on {book.reviewed}, {many(days, 'day')} ago, and is to be every {every}{whose}"
