"""What loses data on a protected target: refused without approvals, or run in the emergency lane, told to others."""

from datetime import date

import pytest
from fix_live import Live, write

from runbooks import commands as c
from runbooks.approvals.emergency import owed

TOLD = 'echo "$GONOGO_NOTICE_WHY $GONOGO_NOTICE" >> told'


def prepared(live: Live, notify: str) -> None:
    """A script that loses data, a protected target, and a command that tells others."""
    write(live, migrate='```toml step\nid = "apply"\nuses = "migrations.apply"\n```\n')
    live.small.migration("20260102000000_drop", "DROP TABLE old;\n")
    more = {"notify": ["sh", "-c", notify]} if notify else {}
    live.small.toml(protected=True, **more)


@pytest.mark.parametrize(
    ("emergency", "notify", "words"),
    [
        ("", "true", "takes 1 approval, and none is given"),
        ("the shop is down", "", "names no command that does"),
        ("the shop is down", "echo no network >&2; exit 7", "not delivered: sh ended with 7: no network"),
    ],
)
async def test_it_does_not_go_on_without(live: Live, emergency: str, notify: str, words: str) -> None:
    prepared(live, notify)
    await live.start(emergency=emergency)
    view = await live.until(lambda view: view.ended)
    assert view.ended is not None and words in view.ended.reason and view.plan is None


async def test_the_emergency_lane_tells_others_first_and_owes_a_review(live: Live) -> None:
    prepared(live, TOLD)
    await live.start(emergency="the shop is down")
    view = await live.until(lambda view: "opening/environment" in view.questions)
    told = (live.small.folder / "told").read_text()
    assert told.startswith(
        "emergency EMERGENCY on here: ana@example.org runs 20260101000000_notes, 20260102000000_drop"
    )
    assert "the shop is down" in told
    emergency = view.opened.emergency if view.opened else None
    assert emergency is not None and emergency.review_by in told
    await live.do(c.Answer(question="opening/environment", answer="here"))
    view = await live.until(lambda view: view.plan)
    assert view.plan is not None and view.plan.approval is None
    await live.do(c.EndSession(reason="seen"))
    assert await live.over() == 1


@pytest.mark.parametrize(("opened", "due"), [("2026-01-28", "2026-02-02"), ("2026-01-30", "2026-02-04"),
                                             ("2026-01-31", "2026-02-04")])  # fmt: skip
def test_a_review_is_owed_in_three_working_days(opened: str, due: str) -> None:
    assert owed("why", date.fromisoformat(opened), 3).review_by == due
