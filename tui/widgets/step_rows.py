"""The rows that tell of one step."""

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from runbooks.session.events import Check, Failure, Outcome
from runbooks.session.looked import Looked
from runbooks.session.runbook import Effect, Step
from runbooks.session.view import RunView, StepView
from tui.palette import OUTCOMES, WAIVED, of_step
from tui.printable import one_line, printable
from tui.widgets.progress import progress_rows
from tui.widgets.row import Row, row
from tui.words import elapsed, moment, size, took

EFFECTS: dict[Effect, str] = {
    "reads": "only reads",
    "target": "CHANGES THE DATABASE",
    "outside": "changes something outside the database",
}
WORST_FIRST: tuple[Outcome, ...] = ("fail", "unknown", "warn", "ok")
ARROW = Content.styled("→ ", "$busy")
BLANK = row("", "")


def step_rows(view: RunView, name: str, now: datetime) -> Iterator[Row]:
    """Everything there is to say of a step, what went wrong first."""
    step, state = _step(view, name), view.step(name)
    runs = state.status == "running" and bool(state.progress)
    yield from _head(view, name, step, state, now)
    if runs:
        yield from progress_rows(state.progress)
        yield BLANK
    if step and step.shows:
        yield row("  ", (printable(view.shows(step).strip()), "" if state.status == "waiting" else "$quiet"))
    if step and step.see:
        yield row("  ", (f"see {one_line(step.see)}", "$busy"), ("  (f reads it)", "$quiet"))
    for question in (q for q in view.questions.values() if q.step == name):
        yield BLANK
        yield row(Content.styled("? ", "bold $warn"), printable(question.text), ("  (a to answer)", "$busy"))
    if state.failure is not None:
        yield BLANK
        yield from _failure(state.failure, state.advice)
    if state.checks:
        yield BLANK
        for check in sorted(state.checks, key=lambda c: WORST_FIRST.index(c.outcome)):
            yield from _check(view, name, check)
    yield from _kept(view, name, state)
    yield from _logs(view, name, state)


def _step(view: RunView, name: str) -> Step | None:
    return view.runbook.step(name) if view.opened else None


def _head(view: RunView, name: str, step: Step | None, state: StepView, now: datetime) -> Iterator[Row]:
    waiver = view.waivers.get(name)
    mark = of_step(state, waived=waiver is not None)
    words = [mark.word]
    started = moment(state.started_at)
    if state.status == "running" and started:
        words.append(elapsed(now - started))
    if state.status == "ended":
        words.append(took(state.took))
    if state.attempt > 1:
        words.append(f"attempt {state.attempt}")
    effect = f" · {EFFECTS[step.effect]}" if step else ""
    loud = step is not None and step.effect != "reads" and state.status != "ended"
    required = " · required" if step and step.required else ""
    yield row(
        Content.assemble(mark.sign, " "),
        (" · ".join(words), f"bold ${mark.shade}"),
        (effect, "bold $warn" if loud else "$quiet"),
        (required, "$quiet"),
    )
    if waiver is not None:
        yield row(
            Content.assemble(WAIVED.sign, " "), f"waived by {one_line(waiver.by.name)}: {printable(waiver.reason)}"
        )


def _failure(failure: Failure, advice: tuple[str, ...]) -> Iterator[Row]:
    code = f" [{one_line(failure.code)}]" if failure.code else ""
    yield row(Content.styled("✖ ", "$fail"), (printable(failure.what), "bold"), (code, "$quiet"))
    if failure.advice:
        yield row(Content.assemble("  ", ARROW), printable(failure.advice))
    if failure.detail:
        yield row("  ", (printable(failure.detail.rstrip()), "$quiet"))
    for words in advice:
        yield row(Content.assemble("  ", ARROW), ("Troubleshooting: ", "bold"), printable(words))


def _check(view: RunView, name: str, check: Check) -> Iterator[Row]:
    waiver = view.waivers.get(f"{name}/{check.id}")
    mark = OUTCOMES[check.outcome]
    yield row(
        Content.assemble(mark.sign, " "),
        one_line(check.title),
        ("" if check.outcome == "ok" else f"  {mark.word}", f"bold ${mark.shade}"),
    )
    if check.evidence:
        yield row("  ", (printable(check.evidence.rstrip()), "$quiet"))
    if check.advice and check.outcome != "ok":
        yield row(Content.assemble("  ", ARROW), printable(check.advice.rstrip()))
    if waiver is not None:
        words = f"waived by {one_line(waiver.by.name)}: {printable(waiver.reason)}"
        yield row(Content.assemble("  ", WAIVED.sign, " "), (words, "$warn"))


def _logs(view: RunView, name: str, state: StepView) -> Iterator[Row]:
    """What the environment's logs had to say when this attempt failed."""
    looked = view.looked
    if looked is not None and (looked.step, looked.attempt) == (name, state.attempt):
        yield BLANK
        yield from log_rows(looked)


def log_rows(looked: Looked) -> Iterator[Row]:
    """Each log of a look: where it is, and the last that it says."""
    for one in looked.logs:
        yield row(Content.styled("≡ ", "$busy"), (one_line(one.words), "$warn" if one.wrong else ""))
        for line in one.tail:
            yield row("    ", (one_line(line), "$quiet"))


def _kept(view: RunView, name: str, state: StepView) -> Iterator[Row]:
    kept = [a for a in view.artefacts if a.step == name and a.attempt == state.attempt]
    if kept:
        yield BLANK
    for artefact in kept:
        words = f"{one_line(artefact.name)}, {size(artefact.size)}, sha256 {artefact.sha256[:12]}…"
        yield row(Content.styled("↧ ", "$quiet"), words, ("\n" + one_line(artefact.path), "$quiet"))
