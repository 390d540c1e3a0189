"""A session as rows: what is proven of it, its phases, what deviated, who decided what."""

from collections.abc import Iterator

from textual.content import Content

from runbooks.reading.reel import Reel, Stage
from runbooks.reading.verifying import Proof
from runbooks.report.entries import Entries
from runbooks.report.summary import summary
from runbooks.report.words import took
from tui.palette import OUTCOMES, WAITING, Mark
from tui.part_rows import heading, part_rows, words_content
from tui.printable import one_line
from tui.session_rows import GRADES, UNREADABLE, VERIFYING
from tui.standing import phase_title
from tui.widgets.row import Row, row

NAME = 12
LASTED = 14
REF = 8


def about_rows(reel: Reel, proof: Proof | None) -> Iterator[Row]:
    """All of it, what is proven first: the rest rests on that."""
    yield from proof_rows(proof)
    if reel.facts.opened is None:
        yield row("", (one_line(reel.fault or "There is no record."), "$fail"))
        return
    if reel.fault:
        yield row("✖ ", (f"What stands below ends before {one_line(reel.fault)}", "bold $fail"))
    yield from heading("Phases")
    yield from map(_stage, reel.stages)
    yield from part_rows(summary(reel.facts))
    yield from heading("Decisions")
    yield from _decisions(reel)


def proof_rows(proof: Proof | None) -> Iterator[Row]:
    """The grade, and what it means."""
    if proof is None:
        yield row(Content.assemble(VERIFYING.sign, " "), (VERIFYING.word, "$busy"))
        return
    mark = GRADES[proof.grade] if proof.grade else UNREADABLE
    yield row(Content.assemble(mark.sign, " "), (mark.word, f"bold ${mark.shade}"), f": {one_line(proof.meaning)}")
    yield from (row("  ", one_line(line)) for line in proof.lines)


def _stage(stage: Stage) -> Row:
    mark = _mark(stage)
    head = Content.assemble(mark.sign, f" {phase_title(stage.name):<{NAME}}")
    times = f"{stage.at[11:19]}  {took(stage.lasted):<{LASTED}}{f'[#{stage.first}]':<{REF}}"
    return row(head, (times, "$quiet"), (mark.word, f"${mark.shade}"))


def _mark(stage: Stage) -> Mark:
    refused = f"{len(stage.no_gos)} × NO-GO" if len(stage.no_gos) > 1 else "NO-GO" if stage.no_gos else ""
    if stage.go is not None:
        return Mark(OUTCOMES["ok"].glyph, f"{refused}, then GO" if refused else "GO", "ok")
    if refused:
        return Mark(OUTCOMES["fail"].glyph, refused, "fail")
    return Mark(WAITING.glyph, "" if stage.name == "opening" else "no GO", "quiet")


def _decisions(reel: Reel) -> Iterator[Row]:
    facts = reel.facts
    told = Entries(facts.opening.runbook, facts.opening.operator)
    said = [record for record, _ in (*facts.decisions, *facts.waivers)]
    for record in sorted(said, key=lambda record: record.seq):
        head = Content.styled(f"{record.at[11:19]}  ", "$quiet")
        yield Row(head, Content.assemble(words_content(told.words(record.event)), (f" [#{record.seq}]", "$quiet")))
    if not facts.decisions and not facts.waivers:
        yield row("", ("Nobody decided anything.", "$quiet"))
