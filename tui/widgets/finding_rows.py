"""What the rules say of a statement, in rows."""

from collections.abc import Iterator

from textual.content import Content

from runbooks.session.events import Finding
from tui.palette import WAIVED, of_finding
from tui.printable import one_line, printable
from tui.widgets.row import Row, row

ARROW = Content.styled("→ ", "$busy")
HERE = Content.styled("▸", "bold $busy")


def finding_rows(finding: Finding, *, here: bool = False, locks: bool = True) -> Iterator[Row]:
    """One finding: what, what to do instead, where that stands. `here`: it is the one stood on; `locks`: name its."""
    mark = of_finding(finding)
    head = f"{mark.word} · {one_line(finding.rule)}: "
    yield row(
        Content.assemble(HERE if here else " ", mark.sign, " "),
        (head, f"bold ${mark.shade}"),
        printable(finding.message),
    )
    if finding.allowed:
        yield row(
            Content.assemble("   ", WAIVED.sign, " "),
            ("allowed by the script: ", "$warn"),
            one_line(finding.allowed),
        )
    if finding.instead:
        yield row(Content.assemble("   ", ARROW), printable(finding.instead))
    if finding.safer_sql:
        yield row("   ", ("As SQL; c copies it:", "$quiet"))
        for line in printable(finding.safer_sql.replace("\r\n", "\n")).replace("\t", "    ").split("\n"):
            yield row("     ", (line, "$sql-name"))
    facts = (finding.lock, f"blocks {finding.blocks}" if finding.blocks else "", ", ".join(finding.tables))
    words = " · ".join(one_line(fact) for fact in facts if fact)
    if words and locks:
        yield row("   ", (words, "$quiet"))
    if finding.source:
        yield row("   ", (one_line(finding.source), "$quiet"))
