"""How a session stands, in one line: what goes on, and what is wanted of the person."""

from dataclasses import dataclass
from typing import Literal

from runbooks.session.moved import target_of
from runbooks.session.pairs import open_pairs
from runbooks.session.runbook import PhaseName, Step
from runbooks.session.undone import undone
from runbooks.session.view import RunView
from tui.palette import STILL_OPEN, of_step
from tui.printable import one_line

Kind = Literal["opening", "running", "question", "start", "held", "ready", "refused", "ended", "gone"]

WAITS: frozenset[Kind] = frozenset({"question", "start", "held", "ready", "refused", "ended", "gone"})
"""Kinds in which nothing goes on without a person: the bell rings once for each."""

_LOOKS: dict[Kind, tuple[str, str]] = {
    "opening": ("▶", "busy"),
    "running": ("▶", "busy"),
    "question": ("?", "warn"),
    "start": ("■", "warn"),
    "held": ("✖", "fail"),
    "ready": ("✔", "ok"),
    "refused": ("✖", "fail"),
    "ended": ("■", "strong"),
    "gone": ("?", "unknown"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`word` is the state, `words` what to know or do about it; `about` tells one standing from the next."""

    kind: Kind
    word: str
    words: str
    about: str = ""

    @property
    def glyph(self) -> str:
        """The sign that stands for it."""
        return _LOOKS[self.kind][0]

    @property
    def shade(self) -> str:
        """The theme's variable for its colour."""
        return _LOOKS[self.kind][1]

    @property
    def waits(self) -> bool:
        """Nothing goes on without a person."""
        return self.kind in WAITS


def phase_title(phase: PhaseName | None) -> str:
    """The name of a phase, as it is shown."""
    return (phase or "opening").capitalize()


def reading_next(view: RunView) -> Step | None:
    """The step that is about to start by itself: the engine is between two that only read."""
    section = view.section
    if section is None or view.ended or view.running or view.refused:
        return None
    for step in view.active_steps(section):
        state = view.step(step.id)
        if step.id in view.waivers:
            continue
        if state.status == "waiting":
            return step if step.effect == "reads" else None
        if state.end != "done" or state.outcome == "fail":
            return None
    return None


def standing(view: RunView, *, gone: bool = False, keys: bool = True) -> Standing:
    """How the session stands now. `gone`: its runner has left without ending it. `keys`: those that help are named."""
    if view.ended is not None:
        return _ended(view, keys=keys)
    if gone:
        return Standing("gone", "RUNNER GONE", "nothing more is shown here: leave with q, then resume", "gone")
    if view.questions:
        question = next(iter(view.questions.values()))
        key = " (press a to answer)" if keys else ""
        return Standing("question", "QUESTION", f"{question.text}{key}", question.question)
    if view.opened is None or view.phase in (None, "opening"):
        return Standing("opening", "OPENING", "looking at the target, changing nothing")
    if view.running is not None:
        return Standing("running", "RUNNING", title_of(view, view.running), view.running)
    if (step := reading_next(view)) is not None:
        return Standing("running", "RUNNING", step.title, step.id)
    return _at_hand(view, keys=keys)


def outcome_word(outcome: str) -> str:
    """How a session ended, in capitals."""
    return {"no_go": "NO-GO"}.get(outcome, outcome.replace("_", " ").upper())


def failed_step(view: RunView) -> Step | None:
    """The first step of what stands open that did not do what it was for, and is not waived."""
    for step in view.active_steps(view.section) if view.section else ():
        state = view.step(step.id)
        if state.status == "ended" and step.id not in view.waivers and (state.end != "done" or state.outcome == "fail"):
            return step
    return None


def title_of(view: RunView, name: str) -> str:
    """The title of a step by its id."""
    if name == "opening":
        return "Opening"
    steps = view.runbook.steps() if view.opened else ()
    return next((s.title for s in steps if s.id == name), name)


def _ended(view: RunView, *, keys: bool) -> Standing:
    ended = view.ended
    assert ended is not None
    word = outcome_word(ended.outcome)
    said = ended.reason.rstrip(".")
    reason = f"{said}. " if said and said.casefold() != word.casefold() else ""
    return Standing("ended", f"ENDED · {word}", f"{reason}{'Press q to leave' if keys else ''}", "ended")


def _at_hand(view: RunView, *, keys: bool) -> Standing:
    phase = phase_title(view.phase)
    if view.pairs and (ending := undone(view)) is not None:
        on = " Undo what is open (u), or say why it stays so (w)" if keys else ""
        return Standing("refused", "NO-GO", f"{ending.reason.rstrip('.')}. The session ends then.{on}", phase)
    if view.refused:
        reason = next((d.event.reason for d in reversed(view.decisions) if d.event.what == "no_go"), "")
        on = ". Run again, roll back (b) or end (e)" if keys else ""
        return Standing("refused", "NO-GO", f"{reason.rstrip('.')}{on}", phase)
    if (step := view.next_start) is not None:
        word, key = ("WAITS FOR YOU", "press s to start: ") if keys else ("WAITS FOR A START", "")
        return Standing("start", word, f"{key}{step.title}", step.id)
    holds = view.gate.holds
    if holds:
        bad = failed_step(view)
        words = f"{bad.title} {of_step(view.step(bad.id)).word}" if bad else holds[0].words
        words += f" · {len(holds) - 1} more" if len(holds) > 1 else ""
        return Standing("held", "NO-GO", words, f"{phase}:{len(holds)}")
    return Standing("ready", "GO IS POSSIBLE", f"nothing holds {phase}{': press g' if keys else ''}", phase)


def open_line(view: RunView) -> str:
    """What is open, in one line; empty where nothing is."""
    names = ", ".join(one_line(pair.step.title) for pair in open_pairs(view))
    word = "LEFT OPEN" if view.ended is not None else "STILL OPEN"
    return f"{STILL_OPEN.glyph} {word}: {names}" if names else ""


def line_to_read_out(view: RunView, *, gone: bool = False, keys: bool = True) -> str:
    """One line for a call or a chat: which session, on what, how it stands, and the record that says so."""
    opened, target = view.opened, target_of(view)
    state = standing(view, gone=gone, keys=keys)
    parts = (
        opened.ticket if opened else "",
        opened.environment if opened else "",
        target.address if target else "",
        phase_title(view.phase),
        f"{state.word}: {state.words}",
        open_line(view),
        f"record {view.seq} {view.head[:12]}".strip(),
    )
    return " · ".join(part for part in parts if part)
