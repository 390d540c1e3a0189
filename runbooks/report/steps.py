"""One attempt of a step in Markdown: what it was, how it ended, its checks, what was asked, kept and put out."""

import json
from collections import deque
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from runbooks import events as e
from runbooks.report.chapters import Attempt, lines_of
from runbooks.report.escape import block, cell, code, fenced, inline
from runbooks.report.words import EFFECT, OUTCOME, WHY, many, moment, refs, size, took

FIRST_LINES = 100
LAST_LINES = 300
FOLDED = 10
"""Output of more lines than this is folded."""


def attempt_blocks(attempt: Attempt, day: str) -> Iterator[str]:
    """The attempt, under a heading of its own."""
    start, seq = attempt.started, attempt.record.seq
    mark = OUTCOME[attempt.ended[1].outcome].split()[0] if attempt.ended else "?"
    again = f" · attempt {start.attempt}" if start.attempt > 1 else ""
    yield f"### {mark} {inline(start.title or start.step)}{again} {refs([seq])}"
    yield "\n".join(_points(attempt, day))
    if attempt.ended:
        yield from _ended(attempt.ended[1])
    yield from _progress(attempt)
    yield from _output(attempt)


def _points(attempt: Attempt, day: str) -> Iterator[str]:
    start, record = attempt.started, attempt.record
    who = f", by {code(start.by.name)}" if start.by else ""
    yield (
        f"- {moment(record.at, day)} {code(start.step)}, attempt {start.attempt}: {code(start.uses)},"
        f" {EFFECT[start.effect]}; started {WHY[start.why]}{who} {refs([record.seq])}"
    )
    for asked, event in attempt.questions:
        when = moment(asked.at, day)
        if isinstance(event, e.QuestionAsked):
            exact = f", only {code(event.exact)} was taken" if event.exact else ""
            choices = f", choices {', '.join(map(code, event.choices))}" if event.choices else ""
            yield f"- {when} asked: {code(event.text)}{exact}{choices} {refs([asked.seq])}"
        else:
            yield f"- {when} answered {code(event.answer)}, by {code(event.by.name)} {refs([asked.seq])}"
    for seq, kept in attempt.artefacts:
        what = f"{code(kept.name)}: {code(kept.path)}, {size(kept.size)}, SHA-256 {code(kept.sha256)}"
        yield f"- kept {what} {refs([seq])}"
    if attempt.ended is None:
        yield "- **no end in the journal**: how it ended is not known"
    else:
        ended, end = attempt.ended
        result = f"**{end.end}**, result {OUTCOME[end.outcome]}, took {took(end.took)}"
        yield f"- {moment(ended.at, day)} {result} {refs([ended.seq])}"


def _ended(event: e.StepEnded) -> Iterator[str]:
    if event.checks:
        rows = [
            f"| {OUTCOME[c.outcome]} | {inline(c.title)} | {cell(c.id)} | {cell(c.evidence)} | {cell(c.advice)} |"
            for c in event.checks
        ]
        yield "\n".join(["| Result | Check | Id | Evidence | Advice |", "|---|---|---|---|---|", *rows])
    if event.failure:
        yield from _failure(event.failure)
    if event.advice:
        yield "The runbook advises:\n\n" + "\n".join(f"- see {code(each)}" for each in event.advice)
    if event.result:
        yield from _folded("result", _json(event.result), "json")


def _failure(failure: e.Failure) -> Iterator[str]:
    its_code = f" ({code(failure.code)})" if failure.code else ""
    advice = f" What to do: {code(failure.advice)}" if failure.advice else ""
    yield f"**It failed**{its_code}: {code(failure.what)}{advice}"
    if failure.detail:
        yield fenced(failure.detail)


def _progress(attempt: Attempt) -> Iterator[str]:
    if attempt.progress:
        seqs = [seq for seq, _ in attempt.progress]
        body = _json(attempt.progress[-1][1].data)
        yield from _folded(f"{many(len(seqs), 'progress record')} {_span(seqs)}, the last", body, "json")


def _output(attempt: Attempt) -> Iterator[str]:
    """Each line behind its record and stream, so that no line can pass for another's."""
    first, last, total = list[str](), deque[str](maxlen=LAST_LINES), 0
    for seq, stream, line in lines_of(attempt):
        total += 1
        # a line of ours for each of theirs: block() would keep a line feed, and there is none in `line`
        shown = f"#{seq} {stream} | {block(line)}".rstrip()
        (first if total <= FIRST_LINES else last).append(shown)
    if not total:
        return
    left_out = total - len(first) - len(last)
    if left_out:
        first.append(f"({many(left_out, 'line')} left out here; they are in the journal)")
    seqs = [seq for seq, _ in attempt.outputs]
    body = "\n".join([*first, *last])
    if total > FOLDED:
        yield from _folded(f"output, {many(total, 'line')} {_span(seqs)}", body, "text")
    else:
        yield fenced(body)


def _folded(words: str, body: str, language: str) -> Iterator[str]:
    yield f"<details><summary>{words}</summary>"
    yield fenced(body, language)
    yield "</details>"


def _span(seqs: list[int]) -> str:
    return f"[#{seqs[0]}]" if len(seqs) == 1 else f"[#{seqs[0]} to #{seqs[-1]}]"


def _json(value: Mapping[str, JsonValue]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
