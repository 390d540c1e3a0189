"""Reads and judges scripts. Apart from the verdicts themselves, since grammar and rules take long to load."""

from collections.abc import Collection, Iterator

from migrations.rules import judge
from migrations.sql import Statement, read_script
from migrations.sql import actions as a
from migrations.sql.hiding import veil_of
from runbooks.check.verdict import Verdict


def verdict_of(text: str, also: Collection[str] = ()) -> Verdict:
    """Read and judge a script. `also`: matters of taste that are asked for. Seconds for megabytes."""
    read = read_script(text)
    script = veil_of(read).script(read)
    unread = ((s.line, s.why_not) for s in script.statements if s.why_not)
    return Verdict(
        lines=tuple(s.line for s in script.statements),
        findings=judge(script, also),
        unread=tuple(unread),
        fault=script.error.message if script.error else "",
        fault_line=script.error.line if script.error else 0,
        makes=tuple(dict.fromkeys(name for s in script.statements for name in _makes(s))),
    )


def _makes(statement: Statement) -> Iterator[str]:
    for action in statement.actions:
        match action:
            case a.CreateTable(table=table, temporary=False, partition_of=None):
                yield table.name
            case a.AddColumn(column=column):
                yield column.name
