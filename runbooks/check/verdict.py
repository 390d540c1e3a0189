"""What the text of a script alone says: the same wherever and whenever it is read, so that it can be kept."""

from dataclasses import dataclass

from migrations.finding import Finding


@dataclass(frozen=True, slots=True)
class Verdict:
    """Findings, and how much of the script was analysed: `lines`, where each statement begins, and `unread`, line and
    reason of each that was not.

    `fault`: why the script cannot be read to its end. `makes`: names of tables and columns that a schema would show.
    """

    lines: tuple[int, ...]
    findings: tuple[Finding, ...] = ()
    unread: tuple[tuple[int, str], ...] = ()
    fault: str = ""
    fault_line: int = 0
    makes: tuple[str, ...] = ()
