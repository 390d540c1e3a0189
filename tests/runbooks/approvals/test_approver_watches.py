"""Whoever approved a plan may watch it being run, and does not run it."""

from contextlib import closing
from pathlib import Path

from runbooks.faces.answers import Answers
from runbooks.faces.headless import Headless
from runbooks.journal import NAME, Journal, read
from runbooks.session import commands as c
from runbooks.session import events as e
from tests.runbooks.conftest import ANA, Clock, the_plan
from tests.runbooks.wired import Wired

BEN = ANA.model_copy(update={"name": "Ben@example.org"})
APPROVAL = e.Approval(
    needed=1, number="d" * 32, document="a" * 64, expires_at="2026-02-01T11:00:00Z", requester=ANA.name,
    signers="origin/main:signers", signers_sha256="b" * 64,
    approvers=(e.Approver(principal="ben@example.org", key="SHA256:x", at="", file="a.json", sha256="c" * 64),),
)  # fmt: skip


class Ending(Wired):
    """An engine that starts whatever it is told to, and ends when it is told to."""

    async def submit(self, command: c.Command, by: e.By) -> str | None:
        if isinstance(command, c.EndSession):
            self.recorder.append(e.SessionEnded(outcome="no_go", exit_code=1, reason=command.reason))
        elif isinstance(command, c.Start):
            uses = {"title": "x", "uses": "x", "effect": "outside", "why": "start"}
            self.recorder.append(e.StepStarted(step=command.step, attempt=1, **uses))
        return None


async def test_the_pen_is_not_given_to_whoever_approved(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with closing(Journal.create(folder, Clock())) as journal:
        wired = Wired(folder, journal)
        wired.recorder.append(the_plan().model_copy(update={"approval": APPROVAL}))
        ben = await wired.face(by=BEN)
        assert not ben.has_pen
        assert await ben.send(c.TakePen(reason="ana's line is dead")) == (
            "Ben@example.org approved this plan: somebody else runs it"
        )
        ana = await wired.face()
        assert ana.has_pen
        await ana.close()
        await ben.close()
        await wired.close()


async def test_who_approved_does_not_run_it_by_having_come_before_the_plan(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with closing(Journal.create(folder, Clock())) as journal:
        wired = Wired(folder, journal)
        ben = await wired.face(by=BEN)
        assert ben.has_pen
        wired.recorder.append(the_plan().model_copy(update={"approval": APPROVAL}))
        assert "approved this plan" in (await ben.send(c.EndSession(reason="to see")) or "")
        assert wired.recorder.view.ended is None
        await ben.close()
        await wired.close()


async def test_an_approval_is_not_used_up_where_the_answers_lack_something(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with closing(Journal.create(folder, Clock())) as journal:
        wired = Ending(folder, journal)
        wired.recorder.append(the_plan().model_copy(update={"approval": APPROVAL}))
        wired.recorder.append(e.PhaseOpened(phase="backup"))
        unattended = await wired.face("headless")
        await Headless(unattended, Answers(items={"offsite": "vault"}), lambda _: None).walk()
        assert wired.recorder.view.ended is not None and wired.recorder.view.ended.reason.startswith(
            'the approval was not used up, as the answers file lacks: [answers] "opening/environment" = "production"; '
            "[go] backup; "
        )
        assert not any(isinstance(record.event, e.StepStarted) for record in read(folder / NAME))
        await unattended.close()
        await wired.close()
