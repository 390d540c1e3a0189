"""What `gonogo transcript verify` says of a journal, for people and for programs."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from runbooks.approvals.judged import Paper
from runbooks.journal.clocks import SECOND, Clocks
from runbooks.journal.grade import MEANING
from runbooks.journal.named import Artefact
from runbooks.journal.verify import Verdict
from runbooks.pack.check import Checked
from runbooks.report.compare import Comparison
from runbooks.signing.judged import Judged
from tui.commands.signatures_told import signature_lines, signatures_json
from tui.printable import one_line
from tui.words import plural

APART = 2 * SECOND
"""Clocks that differ by less are as good as the same."""

_PAGE = {
    "same": "page: byte for byte what the journal gives",
    "different": "page: not what the journal gives",
    "unknown": "page: cannot be made again",
}


def verdict_text(
    verdict: Verdict,
    artefacts: Sequence[Artefact],
    signatures: Sequence[Judged],
    page: Comparison | None,
    pack: Checked | None = None,
    papers: Sequence[Paper] = (),
) -> str:
    """In lines, the grade and what it means last."""
    lines = [*_what(verdict), *_clock(verdict.clocks), *_files(artefacts), *_heads(verdict)]
    lines += [*signature_lines(verdict, signatures), *(paper.words for paper in papers), *_wrong(verdict)]
    lines += _page(page) if page else ()
    lines += [*pack.said, *(f"wrong: {each}" for each in pack.wrong)] if pack else []
    return "\n".join(one_line(line) for line in (*lines, f"grade: {verdict.grade}: {MEANING[verdict.grade]}"))


def verdict_json(
    verdict: Verdict,
    artefacts: Sequence[Artefact],
    signatures: Sequence[Judged],
    page: Comparison | None,
    pack: Checked | None = None,
    papers: Sequence[Paper] = (),
) -> str:
    """One object. Times are in microseconds; records count from 0, lines from 1."""
    opened = verdict.opened
    told = {
        "grade": verdict.grade,
        "session": opened.session if opened else None,
        "environment": opened.environment if opened else None,
        "records": verdict.records,
        "head": verdict.head,
        "ended": verdict.ended,
        "torn": verdict.torn,
        "lasted": verdict.lasted,
        "fault": asdict(verdict.fault) if verdict.fault else None,
        "anchored_to": verdict.reached,
        "strange_heads": [str(head) for head in verdict.strangers],
        "clock": {
            "steps_back": verdict.clocks.steps_back,
            "back": verdict.clocks.back,
            "readings": verdict.clocks.readings,
            "server_ahead": verdict.clocks.ahead.ahead if verdict.clocks.ahead else None,
            "shift": verdict.clocks.shift,
        },
        "signed_to": verdict.signed,
        "signatures": signatures_json(signatures),
        "approvals": [asdict(each) for each in papers],
        "artefacts": [asdict(each) for each in artefacts],
        "page": asdict(page) if page else None,
        "pack": asdict(pack) if pack else None,
    }
    return json.dumps(told, indent=2)


def _what(verdict: Verdict) -> Iterator[str]:
    if opened := verdict.opened:
        yield f"session: {opened.session}, {opened.environment}, {opened.ticket}, by {opened.operator.name} as claimed"
    end = "ended" if verdict.ended else "no end"
    yield f"records: {verdict.records}, over {_span(verdict.lasted)}, {end}"
    yield f"head: {verdict.records - 1}:{verdict.head}" if verdict.records else "head: none"


def _clock(clocks: Clocks) -> Iterator[str]:
    if clocks.steps_back:
        back = plural(clocks.steps_back, "time")
        yield f"clock: went back {back}, by {_span(clocks.back)} at record {clocks.back_at}"
    if clocks.ahead is None:
        return
    if abs(clocks.ahead.ahead) > max(APART, clocks.ahead.within):
        apart = "behind" if clocks.ahead.ahead > 0 else "ahead of"
        yield f"clock: {_span(abs(clocks.ahead.ahead))} {apart} the server's at record {clocks.ahead_at}"
    else:
        near = _span(max(APART, clocks.ahead.within))
        yield f"clock: that of the server, to within {near}, in {plural(clocks.readings, 'reading')}"
    if abs(clocks.shift) > APART:
        way = "ahead" if clocks.shift > 0 else "back"
        yield f"clock: went {way} by {_span(abs(clocks.shift))} against the server's before record {clocks.shift_at}"


def _files(artefacts: Sequence[Artefact]) -> Iterator[str]:
    count = Counter(each.state for each in artefacts)
    if artefacts:
        yield f"files: {count['same']} as recorded, {count['absent']} not here, {count['altered']} altered"
    for each in artefacts:
        if each.state == "altered":
            yield f"altered: {each.path} (record {each.seq}): {each.what}"
        elif each.state == "absent":
            yield f"absent: {each.path} (record {each.seq})"


def _heads(verdict: Verdict) -> Iterator[str]:
    if verdict.reached is not None:
        yield f"anchor: the records up to {verdict.reached} are as they were when that head was taken"
        if verdict.reached < verdict.records - 1:
            later = f"{verdict.reached + 1} to {verdict.records - 1}"
            yield f"anchor: records {later} came after that head, and could have been made anew"
    for head in verdict.strangers:
        yield f"anchor: no record has the head {head}: this is not what it was taken from, or it was changed since"


def _wrong(verdict: Verdict) -> Iterator[str]:
    if not verdict.records:
        yield "empty: there is no record that holds, so nothing is proven"
    if fault := verdict.fault:
        yield f"broken: record {fault.seq} (line {fault.line}), which begins at byte {fault.offset}: {fault.what}"
    if verdict.torn:
        yield "torn: the last line is unfinished, and not counted"


def _page(page: Comparison) -> Iterator[str]:
    yield _PAGE[page.state]
    yield from (f"page: {line}" for line in page.lines)


def _span(us: int) -> str:
    if us < 60 * SECOND:
        return f"{us / SECOND:.1f} s"
    minutes, seconds = divmod(us // SECOND, 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
