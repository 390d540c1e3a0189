"""What loses data on a protected target: refused without approvals, or run in the emergency lane, told to others."""

import json
import subprocess
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from fix_keys import Key, public
from fix_live import Live, write

from migrations.problem import Misuse, Problem, Unavailable
from runbooks.approvals.approving import Approver
from runbooks.approvals.emergency import owed
from runbooks.approvals.owed_review import NAMESPACE, not_the_operator, owing, settle
from runbooks.history.sessions import summary
from runbooks.journal import NAME, Journal
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.settings.project import Project
from runbooks.signing import AllowedSigners
from tests.runbooks.conftest import ANA, Clock, opening
from tui.listed_rows import sessions_text

BEN = "ben@example.org"

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
    await live.start(emergency="the shop is down\nALL CLEAR\x1b[2J")
    view = await live.until(lambda view: "opening/environment" in view.questions)
    told = (live.small.folder / "told").read_text()
    assert told.startswith(
        "emergency EMERGENCY on here: ana@example.org runs 20260101000000_notes, 20260102000000_drop"
    )
    assert "the shop is down" in told and "\nALL" not in told and "\x1b" not in told
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


PROJECT = Project(name="shop", folder=Path(), sha256="", migrations=Path(), environments={})
EMERGENCY = e.Emergency(reason="the shop is down", review_by="2026-02-04")


def ran(folder: Path, *events: e.Event, emergency: e.Emergency | None = EMERGENCY) -> Path:
    """The journal of a session."""
    folder.mkdir(exist_ok=True)
    with closing(Journal.create(folder, Clock())) as journal:
        for event in (opening(project="shop", emergency=emergency), *events):
            journal.append(event, sync=False)
    return folder / NAME


def test_the_owed_review_is_a_signature_of_the_whole_record_by_a_second_engineer(keys: Key, tmp_path: Path) -> None:
    journal = ran(tmp_path / "20260131T020304Z-production-7f3a", e.SessionEnded(outcome="go", exit_code=0))
    opened, head = owing(journal, PROJECT)
    text = f"{ANA.name} {public(keys('ana'))}\n{BEN} {public(keys('ben'))}\n"
    signers, ben = AllowedSigners.parse(text.encode(), shown="signers"), Approver(BEN, keys("ben"))
    with pytest.raises(Problem, match="a second engineer reviews it"):
        not_the_operator(Approver(ANA.name, keys("ana")), opened, journal, signers, {})
    assert not not_the_operator(ben, opened, journal, signers, {}), "nobody knows that it was not ben, as ana"
    assert "EMERGENCY, review owed by 2026-02-04" in sessions_text([summary(journal.parent)])
    (journal.parent / "approvals").write_text("as if it was another account's, or nobody may write there")
    with pytest.raises(Unavailable, match="approvals cannot be made"):
        settle(journal, opened, head, ben, ANA, "seen")
    (journal.parent / "approvals").unlink()
    path = settle(journal, opened, head, ben, ANA.model_copy(update={"name": BEN}), "seen")
    assert f"EMERGENCY, reviewed by {BEN}, as claimed" in sessions_text([summary(journal.parent)])
    (tmp_path / "signers").write_text(text)
    given = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", BEN, "-n", NAMESPACE,
             "-s", f"{path}.sig"]  # fmt: skip
    assert subprocess.run(given, input=path.read_bytes(), capture_output=True).returncode == 0
    path.write_text(json.dumps({**json.loads(path.read_text()), "head": "0" * 64}))
    assert "review owed" in sessions_text([summary(journal.parent)])


def test_a_review_is_owed_by_what_ran_to_its_end_in_an_emergency(tmp_path: Path) -> None:
    ended = e.SessionEnded(outcome="go", exit_code=0)
    with pytest.raises(Problem, match="has not ended"):
        owing(ran(tmp_path / "open"), PROJECT)
    with pytest.raises(Misuse, match="owes no review"):
        owing(ran(tmp_path / "usual", ended, emergency=None), PROJECT)
    journal = ran(tmp_path / "changed", ended)
    journal.write_bytes(journal.read_bytes().replace(b"the shop is down", b"the shop is gone"))
    with pytest.raises(Problem, match="does not hold"):
        owing(journal, PROJECT)
