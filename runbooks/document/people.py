"""The table under Contacts: whom to call, how, and how long to wait before the next one is called."""

from migrations.listed import many
from runbooks.document.blocks import Table
from runbooks.session.runbook import Contact
from runbooks.settings.durations import EXPECTED, duration, microseconds
from runbooks.settings.faults import Faults

PEOPLE = ("who", "how", "wait")


def is_of_people(table: Table) -> bool:
    """Whether a table is one of contacts; any other is only read."""
    return table.rows[0].plain[0].lower() == PEOPLE[0]


def read_people(table: Table, faults: Faults) -> list[Contact]:
    """The rows, in the order in which people are called. After the last one there is nobody to wait for."""
    heads, rows = table.rows[0], table.rows[1:]
    if tuple(text.lower() for text in heads.plain) != PEOPLE:
        faults.add(table.line, f"the columns are `{' | '.join(heads.plain)}`", "`| who | how | wait |`")
        return []
    found = list[Contact]()
    for number, row in enumerate(rows, 1):
        who, how, wait = row.plain
        if row.written > len(PEOPLE):
            faults.add(
                row.line, f"this row has {many(row.written, 'cell')}", "three; a bar inside a cell is written \\|"
            )
        elif not (who and how):
            empty = PEOPLE[1] if who else PEOPLE[0]
            faults.add(row.line, f"the cell `{empty}` is empty", "a name, and how to reach them")
        elif (length := _wait(wait, last=number == len(rows))) is None:
            faults.add(row.line, f"the wait `{wait}` cannot be read", EXPECTED)
        else:
            found.append(Contact(who=who, how=how, wait=length))
    return found


def _wait(text: str, *, last: bool) -> int | None:
    if last and text in ("", "-", "–"):
        return 0
    try:
        return microseconds(duration(text))
    except ValueError:
        return None
