"""Each runbook that was made from a team's own is walked to its end on the shop, and leaves a record that verifies."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from _pytest.mark.structures import ParameterSet
from fix_live import Live

from migrations.folder import read_folder
from runbooks.document import read_runbook
from runbooks.faces.answers import Answers
from runbooks.faces.headless import Headless
from runbooks.journal import verify
from runbooks.library import read_shipped, shipped
from runbooks.session import events as e
from runbooks.session.runbook import PHASES
from runbooks.session.view import RunView

KNOWN = {
    "scripts/git": "the shop is in no repository",
    "restore-point/archived": "the shop's server keeps no log",
}
EACH_TIME = ("development",)
WALKED = tuple(name for name in shipped() if name not in ("production", "staging"))


def use(live: Live, name: str) -> None:
    """Let the session walk this runbook."""
    (live.small.folder / "small.md").write_text(read_shipped(name), encoding="utf-8")


def answers(live: Live, name: str) -> Answers:
    """What a person says who finds everything in order."""
    runbook = read_runbook(read_shipped(name), name=name)
    items = {i.id: "seen" if i.evidence else True for phase in runbook.phases for i in phase.items if not i.proved_by}
    folder = live.small.folder / "prisma" / "migrations"
    reviews = {m.name: m.checksum for m in read_folder(folder)}
    undoing = folder.glob("*/rollback.sql")
    reviews |= {f"{file.parent.name}/{file.name}": sha256(file.read_bytes()).hexdigest() for file in undoing}
    ids = {step.id for step in runbook.steps()}
    waivers = {subject: why for subject, why in KNOWN.items() if subject.split("/")[0] in ids}
    return Answers.model_validate(
        {"go": dict.fromkeys(PHASES, True), "items": items, "reviews": reviews, "waivers": waivers}
    )


def walks() -> Iterator[ParameterSet]:
    """Each of them; all but the shortest take their time in `make soak`."""
    return (pytest.param(name, marks=[] if name in EACH_TIME else [pytest.mark.soak]) for name in WALKED)


async def walked(live: Live, given: Answers, *, emergency: str = "") -> RunView:
    """A walk without a person, to its end: all that the runbook has for this plan ran and was answered."""
    said = list[str]()
    await live.start(sort="headless", emergency=emergency)
    view = await Headless(live.client, given, said.append).walk()
    await live.client.close()
    assert await live.over() == 0, "\n".join(said)
    assert view.passed == PHASES
    assert verify(live.folder / "journal.jsonl").grade == "consistent"
    events = live.events
    assert [x.step for x in events if isinstance(x, e.StepEnded) and x.outcome not in ("ok", "warn")] == []
    assert {x.subject for x in events if isinstance(x, e.Waived)} <= set(given.waivers)
    watched = [x.step for x in events if isinstance(x, e.StepStarted) and x.uses == "http.watch"]
    assert watched == [s.id for s in view.runbook.steps() if s.uses == "http.watch"], "not again before GO"
    ran = {x.step for x in events if isinstance(x, e.StepEnded)}
    assert {s.id for p in view.runbook.phases for s in view.active_steps(p)} <= ran
    assert all(item.id in view.items or view.proof(item) for p in view.runbook.phases for item in view.active_items(p))
    assert (live.folder / "transcript.md").read_text().startswith("# ")
    return view


@pytest.mark.parametrize("name", walks())
async def test_it_is_walked_to_the_end(at_the_shop: Live, name: str) -> None:
    use(at_the_shop, name)
    await walked(at_the_shop, answers(at_the_shop, name))
