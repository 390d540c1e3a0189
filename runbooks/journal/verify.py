"""Whether a journal holds: needs no database, no project and, streaming, no memory to speak of."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runbooks.journal.clocks import Clocks, ClockWatch
from runbooks.journal.files import open_to_read, read_lines, whole
from runbooks.journal.grade import Grade
from runbooks.journal.heads import Head, Sought
from runbooks.journal.named import Artefact, Named, compare, named_by
from runbooks.journal.records import ZEROS, BadRecord, Chain, Fault
from runbooks.session.events import PlanMade, SessionOpened


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `records` hold; `head` is the hash of the last of them; `torn`: the last line is unterminated.

    `reached`: the last record that a head from outside names; `strangers`: the heads that no record has. `lasted`, in
    microseconds, is by the clock that wrote the journal. `named`: the files that it names, yet to be compared.
    `plan`: what was to be run. `signed`: the last record that somebody known has signed; `denied`: somebody known
    signed another journal of it.
    """

    records: int
    head: str
    ended: bool
    torn: bool
    fault: Fault | None
    clocks: Clocks
    opened: SessionOpened | None
    lasted: int
    reached: int | None
    strangers: tuple[Head, ...]
    named: tuple[Named, ...]
    plan: PlanMade | None = None
    signed: int | None = None
    denied: bool = False

    @property
    def grade(self) -> Grade:
        """Never more than is proven: see `runbooks.journal.grade`."""
        if self.fault or self.strangers or self.denied:
            return "broken"
        if not self.ended or self.torn:
            return "open"
        if self.signed == self.records - 1:
            return "signed"
        return "anchored" if self.reached == self.records - 1 else "consistent"


def verify(path: Path, heads: Iterable[Head] = ()) -> Verdict:
    """Read a journal from end to end, in constant memory. Raises Problem or Unavailable if it cannot be opened."""
    return verify_lines(read_lines(open_to_read(path)), heads)


def verify_lines(lines: Iterable[bytes], heads: Iterable[Head] = ()) -> Verdict:
    """The same of lines, each with its line feed; only the last may lack it."""
    chain, watch, sought = Chain(), ClockWatch(), Sought(heads)
    torn, fault, opened, plan, named = False, None, None, None, list[Named]()
    try:
        for line in lines:
            if not whole(line) and not chain.ended:
                torn = True
                break
            record = chain.take(line)
            watch.take(record)
            sought.take(record)
            named += named_by(record)
            opened = record.event if isinstance(record.event, SessionOpened) else opened
            plan = record.event if isinstance(record.event, PlanMade) else plan
    except BadRecord as bad:
        fault = bad.fault
    return Verdict(
        chain.seq,
        chain.head or ZEROS,
        chain.ended,
        torn,
        fault,
        watch.found,
        opened,
        watch.lasted,
        sought.reached,
        sought.strangers,
        tuple(named),
        plan,
    )


def check_artefacts(folder: Path) -> list[Artefact]:
    """Every file that the journal in `folder` names, in its order, as it lies there now.

    Raises BadRecord, Problem, Unavailable.
    """
    verdict = verify(folder / "journal.jsonl")
    if verdict.fault is not None:
        raise BadRecord(verdict.fault)
    return compare(folder, verdict.named)
