"""`http.check`: an HTTP service gives the answer that it should."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from migrations.problem import Misuse
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import Effect
from runbooks.settings.durations import microseconds, spell
from runbooks.steps.base import Context, StepKind
from runbooks.steps.parts.duration import Duration
from runbooks.steps.parts.http_call import Answer, NoAnswer, Request, call
from runbooks.steps.parts.http_capture import captured, fault_of, too_short
from runbooks.steps.parts.http_expected import Expected

READING = ("GET", "HEAD", "OPTIONS")
SHOWN = 300


class Params(Expected):
    """What is asked for, and how often; `body` is sent, a table as JSON.

    `timeout` is for each attempt, `retries` how many follow the first, `pause` the time between them. A method that
    may change something takes `changes = true`, and is sent again only if no connection was made.
    `capture` takes values out of the answer, which later steps name as `${step.name}`. They are secrets, kept in the
    runner's memory alone, except for those in `public`.
    """

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    body: str | dict[str, JsonValue] | list[JsonValue] | None = None
    retries: int = Field(default=3, ge=0, le=1000)
    pause: Duration = timedelta(seconds=1)
    changes: bool = False
    capture: dict[str, str] = {}
    public: list[str] = []

    @model_validator(mode="after")
    def _declared(self) -> Self:
        if self.method not in READING and not self.changes:
            raise ValueError(f"{self.method} may change something: say so with `changes = true`")
        if self.method == "HEAD" and (self.contains is not None or self.json_ is not None):
            raise ValueError("an answer to HEAD holds nothing to look into")
        if fault := fault_of(self.capture, self.public):
            raise ValueError(fault)
        return self


class Result(Frozen):
    """`status` is None where no answer came. `took_us` is of the last attempt. `url` is without its secrets.

    `captured` is what was captured and is public.
    """

    url: str
    status: int | None
    attempts: int
    took_us: int
    captured: dict[str, str] = {}


async def run(ctx: Context, params: Params) -> Result:
    """Ask until the answer is right, or no attempt is left. Raises Misuse for a URL that is none."""
    where = params.where(ctx.step.id)
    answer: Answer | None = None
    wrong: list[tuple[str, str]] = []
    attempt, took = 0, 0
    found: dict[str, str] = {}
    while attempt <= params.retries:
        if attempt:
            await ctx.output(f"attempt {attempt}: {'; '.join(words for _, words in wrong)}\n", "note")
            await asyncio.sleep(params.pause.total_seconds())
        attempt += 1
        await ctx.progress(label=f"{params.method} {where}", done=attempt, total=params.retries + 1, unit="attempts")
        began, again = time.monotonic(), True
        try:
            answer = await call(_request(params))
            found = _captured(ctx, params, answer)
            wrong = _wrong(params, answer, found)
            again = params.method in READING
        except NoAnswer as error:
            answer, wrong = None, [("answer", str(error))]
            again = params.method in READING or not error.sent
        took = microseconds(timedelta(seconds=time.monotonic() - began))
        if not wrong or not again:
            break
    await _judge(ctx, params, answer, wrong, f"{params.method} {where}, attempt {attempt}, {took / 1000:.0f} ms")
    public = {name: value for name, value in found.items() if name in params.public}
    status = answer.status if answer else None
    return Result(url=where, status=status, attempts=attempt, took_us=took, captured=public)


def _captured(ctx: Context, params: Params, answer: Answer) -> dict[str, str]:
    """What the answer has of what is to be captured. Nothing of it is written before it is known as a secret."""
    found = captured(params.capture, answer)
    for name in too_short(found, params.public):
        raise Misuse(
            f"{ctx.step.id}: what was captured as {name} is too short to be kept secret.",
            advice="Name it in `public`, if everybody may see it, or capture another one.",
        )
    for name, value in found.items():
        ctx.capture(name, value, secret=name not in params.public)
    return found


def _request(params: Params) -> Request:
    body, kind = None, ""
    if isinstance(params.body, str):
        body, kind = params.body.encode(), "text/plain; charset=utf-8"
    elif params.body is not None:
        body, kind = json.dumps(params.body).encode(), "application/json"
    return Request(params.method, params.url, params.timeout.total_seconds(), body, kind, params.headers)


def _wrong(params: Params, answer: Answer, found: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is not as expected, by check."""
    wrong = params.wrong(answer)
    if missing := [f"{name} ({place})" for name, place in params.capture.items() if name not in found]:
        wrong.append(("capture", f"the answer does not have {', '.join(missing)}"))
    return wrong


async def _judge(
    ctx: Context, params: Params, answer: Answer | None, wrong: list[tuple[str, str]], evidence: str
) -> None:
    titles = {"answer": "It answers", "status": f"Status {params.status}"}
    if answer is not None:
        titles |= {"contains": "The text is in it"} if params.contains is not None else {}
        titles |= {"json": "The JSON is in it"} if params.json_ is not None else {}
        titles |= {"capture": f"It has {', '.join(params.capture)}"} if params.capture else {}
    else:
        del titles["status"]
    for id, title in titles.items():
        words = dict(wrong).get(id)
        advice = "Look at the service and its log, then run this again." if words else ""
        said = f"{words} ({evidence})" if words else evidence if id == "answer" else ""
        ctx.check(id, title, "fail" if words else "ok", said, advice)
    if wrong and answer is not None and answer.text.strip():
        text = answer.text[:SHOWN]
        await ctx.output(f"the answer was: {text}{'…' if len(answer.text) > SHOWN else ''}\n", "note")


def shows(params: Params) -> str:
    """What is about to happen, in words."""
    takes = f", captures {', '.join(params.capture)}" if params.capture else ""
    return f"{params.method} {params.written}, expects {params.wanted}, within {spell(params.timeout)}{takes}"


def effect(params: Mapping[str, JsonValue]) -> Effect:
    """What changes nothing starts by itself; anything else waits for a person."""
    return "reads" if params.get("method", "GET") in READING else "outside"


STEP = StepKind("Ask the service", "reads", Params, run, shows, effect_of=effect)
