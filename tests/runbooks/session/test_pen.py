"""The pen: one face's commands are taken; it goes from one to the other, for the record."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fix_live import ANA, settle

from runbooks.faces.answers import Answers
from runbooks.faces.headless import Headless
from runbooks.host.peers import account_of
from runbooks.journal import NAME, Journal, read
from runbooks.session import commands as c
from runbooks.session import events as e
from tests.runbooks.wired import Wired

BEN = ANA.model_copy(update={"name": "ben@example.org", "os_user": "root-but-only-claimed"})


@pytest.fixture
async def wired(tmp_path: Path, clock) -> AsyncIterator[Wired]:
    folder = tmp_path / "session"
    made = Wired(folder, Journal.create(folder, clock))
    yield made
    await made.close()
    made.journal.close()


def events(wired: Wired) -> list[e.Event]:
    return [record.event for record in read(wired.folder / NAME)]


async def test_a_second_face_takes_the_pen_with_a_reason_and_the_first_one_watches(wired: Wired) -> None:
    ana, ben = await wired.face(), await wired.face(by=BEN)
    assert (ana.has_pen, ben.has_pen) == (True, False)
    refused = await ben.send(c.Tick(item="offsite"))
    assert refused is not None and refused.startswith("ana@example.org has the pen since 02:03 UTC")
    assert await ben.send(c.TakePen(reason=" ")) == "say why the pen is taken over"
    assert await ben.send(c.TakePen(reason="ana's line is dead")) is None
    await settle(lambda: ben.has_pen and not ana.has_pen)
    assert "ben@example.org has the pen" in str(await ana.send(c.Cancel()))
    assert await ben.send(c.TakePen(reason="again")) == "this face has the pen already"
    assert await ben.send(c.Tick(item="offsite")) is None
    (taken,) = [event for event in events(wired) if isinstance(event, e.PenTaken)]
    assert (taken.face, taken.from_face, taken.reason) == (ben.face, ana.face, "ana's line is dead")
    told = [(event.command, event.subject) for event in events(wired) if isinstance(event, e.CommandRefused)]
    assert told == [("tick", "offsite"), ("take_pen", ""), ("cancel", ""), ("take_pen", "")], "none is lost"
    await ana.close()
    await ben.close()


async def test_who_types_a_secret_is_told_that_the_record_lacks_it(wired: Wired) -> None:
    ana = await wired.face()
    assert await ana.send(c.Tick(item="offsite", evidence="vault, by hunter2-hunter2")) is None
    assert ana.taken_out() == ("TOKEN",)
    assert await ana.send(c.Answer(question="q", answer="postgres://ana:pa55word@db/shop")) is None
    assert await ana.send(c.Waive(subject="hunter2-hunter2", reason="known")) is None  # no field that is typed
    assert ana.taken_out() == ("url-password",)
    assert ana.taken_out() == (), "it is told once"
    await ana.close()


async def test_a_pen_whose_holder_is_gone_is_free_at_once_and_goes_to_nobody_by_itself(wired: Wired) -> None:
    ana, ben = await wired.face(), await wired.face(by=BEN)
    await ana.close()
    await settle(lambda: ben.view.pen is None and len(ben.view.faces) == 1)
    assert not ben.has_pen
    assert str(await ben.send(c.Cancel())).startswith("nobody has the pen")
    assert await ben.send(c.TakePen(reason="")) is None
    assert ben.has_pen and ben.view.handover is not None and ben.view.handover.reason == "nobody had it"
    await ben.close()
    await settle(lambda: not wired.recorder.view.faces)
    carl = await wired.face()
    assert carl.has_pen, "whoever comes when it is free has it"
    await carl.close()


async def test_the_account_is_what_the_kernel_says_and_not_what_is_claimed(wired: Wired) -> None:
    import os

    ben = await wired.face(by=BEN)
    await settle(lambda: wired.recorder.view.faces)
    (attached,) = wired.recorder.view.faces.values()
    assert (attached.by.name, attached.by.os_user) == (BEN.name, account_of(os.getuid()))
    await ben.close()


async def test_a_headless_face_that_loses_the_pen_says_so_watches_and_leaves_after_whoever_took_it(
    wired: Wired,
) -> None:
    said: list[str] = []
    unattended = await wired.face("headless")
    walking = Headless(unattended, Answers(), said.append).walk()
    ben = await wired.face(by=BEN)
    await settle(lambda: unattended.view.faces)
    assert await ben.send(c.TakePen(reason="I do it by hand")) is None
    await ben.close()
    await settle(lambda: unattended.view.pen is None)
    await walking
    assert said[1:] == ["✎ ben@example.org took the pen: I do it by hand", *said[2:]]
    assert [words for words in said if "only watches" in words or "leaves" in words] == said[-2:]
    assert not any(isinstance(event, e.Decided | e.StepStarted) for event in events(wired))
    await unattended.close()


async def test_a_headless_face_says_what_happened_since_this_operator_last_looked(wired: Wired) -> None:
    ana = await wired.face()
    await settle(lambda: ana.has_pen and ana.view.faces)
    await ana.close()
    await settle(lambda: not wired.recorder.view.faces)
    wired.recorder.append(e.Waived(subject="dump/size", outcome="warn", reason="known", by=BEN))
    unattended = await wired.face("headless")
    wired.recorder.append(e.SessionEnded(outcome="no_go", exit_code=1))
    said: list[str] = []
    await Headless(unattended, Answers(), said.append).walk()
    at = next(n for n, line in enumerate(said) if line.startswith("── Since you last looked: "))
    assert said[at + 1].endswith("· dump/size was waived: known, ben@example.org")
    await unattended.close()
