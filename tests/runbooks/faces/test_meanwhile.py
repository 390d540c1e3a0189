"""What happened since an operator last looked: told by the journal alone."""

from collections.abc import Sequence

import pytest

from runbooks.faces.meanwhile import Meanwhile, Told
from runbooks.session import events as e
from tests.runbooks.conftest import ANA, opening

BEN = ANA.model_copy(update={"name": "ben@example.org", "os_user": "ben"})
HERE = e.FaceAttached(face="mine", sort="screen", pen=False, by=ANA)
BEFORE = e.FaceAttached(face="f1", sort="screen", pen=True, by=ANA)
GONE = e.FaceDetached(face="f1")
STARTED = e.StepStarted(
    step="apply", attempt=1, title="Apply", uses="migrations.apply", effect="target", why="start", by=ANA
)
ENDED = e.StepEnded(step="apply", attempt=1, end="done", outcome="ok")
ASKED = e.QuestionAsked(question="q", step="apply", attempt=1, text="Go on?")
NOISE = e.StepOutput(step="apply", attempt=1, stream="out", text="x\n")


def told(*events: e.Event) -> Told | None:
    meanwhile = Meanwhile("mine")
    for seq, event in enumerate([opening(), *events]):
        meanwhile.take(seq, f"2026-01-31T02:03:{seq:02}.000000Z", event)
    return meanwhile.told


def words(*events: e.Event) -> Sequence[str]:
    found = told(*events)
    return [line.words for line in found.lines] if found else []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((BEFORE, STARTED, GONE, NOISE, ENDED, HERE), ["Apply: done"]),
        ((BEFORE, GONE, STARTED, NOISE, HERE), ["Apply: started, not over yet"]),
        ((BEFORE, GONE, STARTED, ENDED, HERE), ["Apply: done"]),
        ((BEFORE, GONE, ASKED, HERE), ["Asked, and not answered: Go on?"]),
        (
            (BEFORE, GONE, ASKED, e.QuestionAnswered(question="q", answer="yes", by=BEN), HERE),
            ["q was answered: yes, ben@example.org"],
        ),
        ((BEFORE, GONE, HERE), []),
        ((STARTED, ENDED, HERE), []),
        ((BEFORE, GONE, e.FaceAttached(face="f2", sort="screen", pen=True, by=BEN), HERE), None),
    ],
    ids=["ended", "runs", "both", "asked", "answered", "nothing", "never looked", "another"],
)
def test_only_what_came_between_is_told(events: Sequence[e.Event], expected: Sequence[str] | None) -> None:
    assert words(*events) == (expected if expected is not None else ["ben@example.org attached, with the pen"])


def test_who_had_the_pen_and_what_was_refused_is_told_with_the_moment_when_one_left() -> None:
    ben = e.FaceAttached(face="f2", sort="screen", pen=False, by=BEN)
    found = told(
        BEFORE,
        ben,
        GONE,
        e.PenTaken(face="f2", reason="Ana is gone", by=BEN),
        e.CommandRefused(command="start", subject="apply", reason="not open", by=BEN),
        e.Decided(what="no_go", phase="migrate", reason="too late", by=BEN),
        e.FaceDetached(face="f2"),
        e.SessionParked(reason="nobody was attached"),
        HERE,
        ENDED,
    )
    assert found is not None
    assert found.heading == "Since you last looked: 2026-01-31 02:03:03 UTC, when you left"
    assert [line.words for line in found.lines] == [
        "ben@example.org took the pen: Ana is gone",
        "start apply was refused: not open, ben@example.org",
        "NO-GO migrate: too late, ben@example.org",
        "ben@example.org left",
        "The session was parked: nobody was attached",
    ]


def test_after_a_crash_one_last_looked_when_the_runner_died_and_what_is_not_known_is_open() -> None:
    resumed = e.SessionResumed(gonogo="1", host="bastion-1", pid=7, by=ANA, unknown=(("apply", 1),))
    found = told(BEFORE, STARTED, NOISE, resumed, HERE)
    assert found is not None and (found.seq, found.how) == (3, "when its runner died")
    assert [(line.words, line.weight) for line in found.lines] == [
        ("Taken up again on bastion-1, ana@example.org", "plain"),
        ("How Apply ended was not known then: it is looked up", "open"),
    ]


def test_a_line_that_hangs_leaves_a_face_behind_and_the_last_word_counts() -> None:
    """The terminal is dead, and the server of SSH does not know yet: nothing was detached."""
    found = told(BEFORE, STARTED, NOISE, ENDED, HERE)
    assert found is not None and found.seq == 2 and "still attached" in found.heading
    assert [line.words for line in found.lines] == ["Apply: done"]
