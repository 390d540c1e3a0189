"""How each state looks: a glyph, a word and a colour, never a colour alone."""

from dataclasses import dataclass

from textual.content import Content

from runbooks.session.events import Finding, Outcome
from runbooks.session.view import StepView


@dataclass(frozen=True, slots=True)
class Mark:
    """A state's looks. `shade` is a variable of the theme."""

    glyph: str
    word: str
    shade: str

    @property
    def sign(self) -> Content:
        """The glyph, coloured."""
        return Content.styled(self.glyph, f"${self.shade}")

    @property
    def words(self) -> Content:
        """The word, coloured."""
        return Content.styled(self.word, f"${self.shade}")


OUTCOMES: dict[Outcome, Mark] = {
    "ok": Mark("✔", "ok", "ok"),
    "warn": Mark("!", "amber", "warn"),
    "fail": Mark("✖", "red", "fail"),
    "unknown": Mark("?", "not known", "unknown"),
}

WAITING = Mark("·", "waiting", "quiet")
RUNNING = Mark("▶", "running", "busy")
WAIVED = Mark("~", "waived", "warn")
LOST = Mark("?", "end not known", "unknown")

_ENDS: dict[str, Mark] = {
    "failed": Mark("✖", "failed", "fail"),
    "declined": Mark("–", "declined", "warn"),
    "stopped": Mark("■", "stopped", "warn"),
    "crashed": Mark("✖", "crashed", "fail"),
}

OPEN = Mark("☐", "open", "warn")
TICKED = Mark("✔", "done", "ok")
PROVEN = Mark("✔", "proven", "ok")
NOT_APPLICABLE = Mark("–", "not applicable", "quiet")

STILL_OPEN = Mark("⟲", "still open", "warn")

SEVERITIES: dict[str, Mark] = {
    "stop": Mark("✖", "STOP", "fail"),
    "warn": Mark("!", "warning", "warn"),
    "note": Mark("i", "note", "busy"),
}
LOSES_DATA = Mark("✖", "LOSES DATA", "fail")
NOT_ANALYSED = Mark("?", "not analysed", "unknown")


def of_step(state: StepView, *, waived: bool = False) -> Mark:
    """How a step stands."""
    match state.status:
        case "waiting":
            return WAIVED if waived else WAITING
        case "running":
            return RUNNING
        case "unknown":
            return LOST
    if state.end not in (None, "done"):
        return _ENDS[state.end or "failed"]
    mark = OUTCOMES[state.outcome or "ok"]
    return Mark(mark.glyph, "done" if mark.word == "ok" else f"done, {mark.word}", mark.shade)


def of_finding(finding: Finding) -> Mark:
    """How a finding is marked; what loses data is said first."""
    return LOSES_DATA if finding.loses_data else SEVERITIES[finding.severity]
