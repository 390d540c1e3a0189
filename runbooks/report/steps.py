"""One attempt of a step: what it was, how it ended, its checks, what was asked, kept and put out."""

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from runbooks.report.chapters import Attempt, Progress
from runbooks.report.output import Output
from runbooks.report.parts import (
    Heading,
    Paragraph,
    Part,
    Point,
    Points,
    Refs,
    Strong,
    Value,
    Verbatim,
    Words,
    listed,
    sentence,
    table,
)
from runbooks.report.plan import script_parts
from runbooks.report.words import EFFECT, OUTCOME, WHY, by_whom, many, mark, moment, size, took
from runbooks.session import events as e


def attempt_parts(attempt: Attempt, day: str, ended_later: int | None) -> Iterator[Part]:
    """The attempt, under a heading of its own. `ended_later`: the record that has its end, if it is not with it."""
    start, seq = attempt.started, attempt.record.seq
    outcome = attempt.ended[1].outcome if attempt.ended else "unknown"
    again = f" · attempt {start.attempt}" if start.attempt > 1 else ""
    yield Heading(3, (f"{mark(outcome)} ", start.title or start.step, again, " ", Refs((seq,))), seq, outcome)
    yield Points(tuple(_points(attempt, day, ended_later)))
    if attempt.ended:
        yield from _ended(attempt.ended[1])
    if attempt.progress:
        yield _progress(attempt.progress)
    if attempt.output.total:
        yield _output(attempt.output)


def _points(attempt: Attempt, day: str, ended_later: int | None) -> Iterator[Point]:
    start, record = attempt.started, attempt.record
    who: Words = (", ", *by_whom(start.by)) if start.by else ()
    what = (f", attempt {start.attempt}: ", Value(start.uses), f", {EFFECT[start.effect]}; started {WHY[start.why]}")
    yield Point((f"{moment(record.at, day)} ", Value(start.step), *what, *who, " ", Refs((record.seq,))))
    for asked, event in attempt.questions:
        words = question_words(event)
        yield Point((f"{moment(asked.at, day)} ", *words, " ", Refs((asked.seq,))), asked.seq)
    for seq, kept in attempt.artefacts:
        yield Point((*kept_words(kept), " ", Refs((seq,))), seq)
    if attempt.ended is not None:
        ended, end = attempt.ended
        yield Point((f"{moment(ended.at, day)} ", *end_words(end), " ", Refs((ended.seq,))), ended.seq)
    elif ended_later is not None:
        yield Point((Strong("no end here"), ": it was only recorded later ", Refs((ended_later,))))
    else:
        yield Point((Strong("no end in the journal"), ": how it ended is not known"))


def question_words(event: e.QuestionAsked | e.QuestionAnswered) -> Words:
    """What was asked, and what could be answered; or the answer, and whose it is."""
    if isinstance(event, e.QuestionAnswered):
        return ("answered ", Value(event.answer), ", ", *by_whom(event.by))
    exact: Words = (", only ", Value(event.exact), " was taken") if event.exact else ()
    choices: Words = (", choices ", *listed([(Value(one),) for one in event.choices])) if event.choices else ()
    return ("asked: ", Value(event.text), *exact, *choices)


def kept_words(kept: e.ArtefactKept) -> Words:
    """A file that is beside the journal, or elsewhere."""
    return ("kept ", Value(kept.name), ": ", Value(kept.path), f", {size(kept.size)}, SHA-256 ", Value(kept.sha256))


def end_words(end: e.StepEnded) -> Words:
    """How it ended, its result, and how long it took."""
    return (Strong(end.end), f", result {OUTCOME[end.outcome]}, took {took(end.took)}")


def _ended(event: e.StepEnded) -> Iterator[Part]:
    if event.failure:
        yield from _failure(event.failure)
    if event.checks:
        rows = tuple(_check(check) for check in event.checks)
        yield table(("Result", "Check", "Id", "Evidence", "Advice"), rows, many(len(rows), "check"))
    if event.advice:
        yield Paragraph(("The runbook advises:",))
        yield Points(tuple(Point(("see ", Value(each))) for each in event.advice))
    if event.proposed:
        yield from script_parts(event.proposed)
    result = {key: value for key, value in event.result.items() if key != e.PROPOSED}
    if result:
        yield Verbatim(_json(result), "json", ("result",))


def _check(check: e.Check) -> tuple[Words, ...]:
    result = OUTCOME[check.outcome]
    return (
        (result if check.outcome == "ok" else Strong(result),),
        (check.title,),
        (Value(check.id),),
        (Value(check.evidence),),
        (Value(check.advice),),
    )


def _failure(failure: e.Failure) -> Iterator[Part]:
    code: Words = (" (", Value(failure.code), ")") if failure.code else ()
    advice: Words = (" What to do: ", Value(failure.advice)) if failure.advice else ()
    yield Paragraph((Strong("It failed"), *code, ": ", Value(failure.what), *advice))
    if failure.detail:
        yield Verbatim(failure.detail)


def _progress(progress: Progress) -> Part:
    refs = Refs((progress.first, progress.last), run=True)
    what = sentence(many(progress.count, "progress record"), " ", refs, ", the last")
    return Verbatim(_json(progress.event.data), "json", what)


def _output(output: Output) -> Part:
    """Each line behind its record and stream, so that no line can pass for another's."""
    lines = [line if isinstance(line, str) else f"#{line[0]} {line[1]} | {line[2]}".rstrip() for line in output.lines()]
    refs = Refs((output.first_seq, output.last_seq), run=True)
    return Verbatim("\n".join(lines), what=(f"output, {many(output.total, 'line')} ", refs))


def _json(value: Mapping[str, JsonValue]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
