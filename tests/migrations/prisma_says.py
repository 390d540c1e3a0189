"""What Prisma's own commands would say of a folder and a ledger, by the rules that were observed of them."""

from collections.abc import Sequence

from migrations.folder import Migration
from migrations.ledger import Row
from migrations.naming import order_key

UP_TO_DATE = "Database schema is up to date!"


def status(folder: Sequence[Migration], rows: Sequence[Row] | None, *, version: tuple[int, int] = (7, 8)) -> str:
    """`prisma migrate status`; the first match wins. What it lists is named behind a colon."""
    names = sorted((m.name for m in folder), key=order_key)
    known = [row for row in rows or () if version < (7, 9) or not row.applied.rolled_back]
    seen = {row.applied.name for row in known}
    pending = [name for name in names if name not in seen]
    unknown = [row.applied.name for row in known if row.applied.name not in names and not row.applied.rolled_back]
    failed = [row.applied.name for row in rows or () if row.applied.failed]
    if pending and not unknown:
        return f"not yet applied: {', '.join(pending)}"
    if pending:
        return "different"
    if rows is None and not names:
        return "not managed"
    if failed:
        return f"failed: {', '.join(failed)}"
    return UP_TO_DATE
