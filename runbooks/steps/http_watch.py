"""`http.watch`: an HTTP service goes on giving the answer that it should, for some time."""

import asyncio
import math
import time
from datetime import timedelta

from pydantic import Field, field_validator

from runbooks.session.events import Outcome
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import duration, microseconds
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.duration import DurationText
from runbooks.steps.parts.http_call import NoAnswer, Request, call
from runbooks.steps.parts.http_expected import Expected
from runbooks.steps.parts.http_seen import Seen, in_ms, percentile, roughly

LONGEST = timedelta(days=1)
OFTENEST = timedelta(milliseconds=100)
STOP_SEEN = 0.25
"""Seconds after which a wait looks whether it was asked to stop."""

ADVICE = "Look at the service and its log, then decide: watch again, or go back."


class Params(Expected):
    """Asked with GET, at once, then `every` so often, and once more when `for` is over.

    `bad_in_a_row` bad answers end it at once, and it is red. At the end it is red if more than `bad_percent` of all
    answers were bad, or if more than 5 % of those that came took longer than `slower_than`; amber if any was bad.
    """

    for_: DurationText = Field(default="15m", alias="for")
    every: DurationText = "30s"
    bad_in_a_row: int = Field(default=3, ge=1, le=1000)
    bad_percent: int = Field(default=10, ge=0, le=100)
    slower_than: DurationText | None = None

    @field_validator("for_")
    @classmethod
    def _not_for_days(cls, text: str) -> str:
        if "${" not in text and duration(text) > LONGEST:
            raise ValueError("a watch takes a day at the most")
        return text

    @field_validator("every")
    @classmethod
    def _not_too_often(cls, text: str) -> str:
        if "${" not in text and duration(text) < OFTENEST:
            raise ValueError("a service is asked ten times a second at the most")
        return text


class Result(Frozen):
    """`answers` that came, `by_status`; `errors`: how often none came; `bad`: what was not as expected, with these.

    `p50_us` and `p95_us`, and `slowest_us`, are of the answers that came; None if none did. `url` has no secrets.
    """

    url: str
    watched_us: int
    answers: int
    errors: int
    bad: int
    by_status: dict[str, int]
    p50_us: int | None
    p95_us: int | None
    slowest_us: int | None


async def run(ctx: Context, params: Params) -> Result:
    """Ask until the time is over, or it is red, or a person stops it. Raises Misuse for a URL that is none."""
    where, seen = params.where(ctx.step.id), Seen()
    whole, every = (duration(text).total_seconds() for text in (params.for_, params.every))
    if ctx.attempt > 1:
        await ctx.output("The watch starts anew: what an earlier attempt saw does not count.\n", "note")
    began = time.monotonic()
    while True:
        asked = time.monotonic()
        await _ask(ctx, params, seen, asked - began)
        await _show(ctx, where, seen, time.monotonic() - began, whole)
        if asked >= began + whole or seen.in_a_row >= params.bad_in_a_row or ctx.stop_asked:
            break
        if await _stopped_before(ctx, min(asked + every, began + whole)):
            break
    return _judged(ctx, params, seen, where, time.monotonic() - began)


async def _ask(ctx: Context, params: Params, seen: Seen, after: float) -> None:
    began, status = time.monotonic(), None
    try:
        answer = await call(Request("GET", params.url, params.timeout.total_seconds(), headers=params.headers))
        status, wrong = answer.status, "; ".join(words for _, words in params.wrong(answer))
    except NoAnswer as error:
        wrong = str(error)
    seen.note(status, microseconds(timedelta(seconds=time.monotonic() - began)), wrong)
    if wrong:
        await ctx.output(f"after {roughly(after)}: {wrong}\n", "note")


async def _show(ctx: Context, where: str, seen: Seen, passed: float, whole: float) -> None:
    unit, size = ("minutes", 60) if whole >= 120 else ("seconds", 1)
    total = math.ceil(whole / size)
    done = min(int(passed / size), total)
    await ctx.progress(label=f"GET {where}", done=done, total=total, unit=unit, detail=seen.words)


async def _stopped_before(ctx: Context, due: float) -> bool:
    """Wait; whether a person asked to stop meanwhile."""
    while (left := due - time.monotonic()) > 0:
        if ctx.stop_asked:
            return True
        await asyncio.sleep(min(left, STOP_SEEN))
    return ctx.stop_asked


def _judged(ctx: Context, params: Params, seen: Seen, where: str, passed: float) -> Result:
    p50, p95 = percentile(seen.took, 50), percentile(seen.took, 95)
    evidence, red = f"{seen.words} (GET {where})", _red(params, seen)
    advice = ADVICE if seen.bad else ""
    last = f"; the last bad one: {seen.last}" if seen.bad else ""
    outcome: Outcome = "fail" if red else "warn" if seen.bad else "ok"
    ctx.check("answers", "The answers are right", outcome, f"{red}{evidence}{last}", advice)
    if params.slower_than is not None and p95 is not None:
        slow = p95 > microseconds(duration(params.slower_than))
        words = f"95 % of the answers came within {in_ms(p95)}, half within {in_ms(p50 or 0)}"
        title = f"Not slower than {params.slower_than}"
        ctx.check("latency", title, "fail" if slow else "ok", words, ADVICE if slow else "")
    short = passed < duration(params.for_).total_seconds()
    watched = f"{roughly(passed)} of {params.for_}" + (", a person stopped it" if short and ctx.stop_asked else "")
    ctx.check("watched", f"Watched for {params.for_}", "warn" if short else "ok", watched)
    return Result(
        url=where,
        watched_us=microseconds(timedelta(seconds=passed)),
        answers=len(seen.took),
        errors=seen.errors,
        bad=seen.bad,
        by_status={str(status): count for status, count in sorted(seen.statuses.items())},
        p50_us=p50,
        p95_us=p95,
        slowest_us=max(seen.took, default=None),
    )


def _red(params: Params, seen: Seen) -> str:
    """Why the answers are red, as the beginning of a sentence; empty if they are not."""
    if seen.in_a_row >= params.bad_in_a_row:
        return f"{seen.in_a_row} bad in a row: "
    if seen.bad * 100 > params.bad_percent * seen.asked:
        return f"more than {params.bad_percent} % bad: "
    return ""


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    slow = f", 95 % of them within {params.slower_than}" if params.slower_than is not None else ""
    return f"GET {params.written} every {params.every} for {params.for_}, expects {params.wanted}{slow}"


STEP = StepKind("Watch the service", "reads", Params, run, shows, grows_old=False)
