"""The review of a plan before it is approved: nothing runs, and it says how it goes on."""

from pathlib import Path

from runbooks.session import commands as c
from tests.tui import plans
from tests.tui import recorded as r
from tests.tui.conftest import SMALL
from tui.approving import NEXT, ApprovalApp, PaperFace, remarks


async def test_it_counts_no_records_and_says_what_is_next_once_each_script_is_marked(tmp_path: Path) -> None:
    plans.keep(tmp_path)
    opened, plan = plans.to_review()[0], next(e for e in plans.to_review() if e.kind == "plan_made")
    app = ApprovalApp(PaperFace(tmp_path, opened, plan, r.ANA), clock=r.clock)
    async with app.run_test(size=SMALL) as pilot:
        await r.settle(pilot, lambda: "m marks it" in r.screen_text(app))
        band = "\n".join(r.screen_text(app).split("\n")[:2])
        assert "PLAN TO APPROVE" in band and "●" not in band
        for left in reversed(range(len(plan.scripts))):
            await r.settle(pilot, lambda: "m marks it" in r.screen_text(app))
            assert not any(NEXT in said.message for said in app._notifications)
            await pilot.press("m")
            await r.settle(pilot, lambda: "✔ reviewed by" in r.screen_text(app))
            await pilot.press("right" if left else "m")
        await r.settle(pilot, lambda: any(NEXT in said.message for said in app._notifications))


async def test_what_is_said_of_a_script_is_kept_for_the_approval(tmp_path: Path) -> None:
    opened, plan = plans.to_review()[0], next(e for e in plans.to_review() if e.kind == "plan_made")
    face, (first, second, *_) = PaperFace(tmp_path, opened, plan, r.ANA), plan.scripts
    await face.send(c.Review(migration=first.migration, sha256=first.sha256))
    await face.send(c.Review(migration=second.migration, sha256=second.sha256, comment="only at night"))
    assert remarks(face.view) == (f"{second.migration}: only at night",)
