"""Every way back of the runbooks that were made from a team's own, taken on the shop after something was destroyed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from fix_live import Live
from person import Person
from test_library_walks import KNOWN, WALKED, use

from runbooks.document import read_runbook
from runbooks.journal import verify
from runbooks.library import read_shipped
from runbooks.session import commands as c
from runbooks.session.view import RunView

DROPPED = "20251105120000_drop_coupons"
COMPENSATING = "20251106000000_rollback_drop_coupons"
WAYS = [
    (name, option.id)
    for name in WALKED
    if name != "development"
    for option in read_runbook(read_shipped(name), name=name).options
]
SETTLED = ("ok", "warn")


class Operator(Person):
    """Answers what a way back asks: the name that is typed, and the script that undoes what was dropped."""

    async def runs(self, step: str) -> None:
        """Read what is to be read before it, start a step, answer what it asks, and wait until it has ended well."""
        scripts = {s.migration: s.sha256 for s in self.view.to_review}
        for hold in self.view.gate.holds:
            if hold.kind == "review":
                await self.sends(c.Review(migration=hold.subject, sha256=scripts[hold.subject]))
            elif hold.subject.endswith("-read"):
                await self.sends(c.Tick(item=hold.subject, evidence="grace@example.org"))
        await self.sends(c.Start(step=step))
        state = (await self._asked_until(lambda v: v.step(step).status == "ended")).step(step)
        assert state.end == "done" and state.outcome in SETTLED, (step, state.failure, state.checks)

    async def idle(self) -> RunView:
        """What only reads starts by itself, and asks, too."""
        return await self._asked_until(lambda v: v.running is None and v.next_reading is None)

    async def _asked_until(self, reached: Callable[[RunView], object]) -> RunView:
        while (view := await self.until(lambda v: v.questions or reached(v))).questions:
            question, asked = next(iter(view.questions.items()))
            inverse = question.startswith("inverse")
            script = f"prisma/migrations/{DROPPED}/rollback.sql" if inverse else COMPENSATING
            await self.sends(c.Answer(question=question, answer=asked.exact or script))
            await self._taken(question)
        return view

    async def _taken(self, question: str) -> None:
        await self.until(lambda v: question not in v.questions)


def coupons(live: Live) -> tuple[bool, int | None]:
    """Whether their table is there, and how many there are."""
    with psycopg.connect(live.small.url) as connection:
        (there,) = connection.execute("SELECT to_regclass('coupons') IS NOT NULL").fetchone() or (False,)
        count = connection.execute("SELECT count(*) FROM coupons").fetchone() if there else None
    return bool(there), count[0] if count else None


@pytest.mark.soak
@pytest.mark.parametrize(("name", "option"), WAYS)
async def test_a_way_back_ends_as_rolled_back(
    at_the_shop: Live, restored: Callable[[], None], tmp_path: Path, name: str, option: str
) -> None:
    live = at_the_shop
    use(live, name)
    if option == "point-in-time":
        restored()
    answers = tmp_path / "known.toml"
    waived = [*KNOWN, *(f"{way}-script/git" for way in ("forward", "compensating", "inverse"))]
    answers.write_text("[waivers]\n" + "".join(f'"{subject}" = "known"\n' for subject in waived))
    await live.start()
    person = Operator(live.client, answers)
    await person.until(lambda v: v.phase == "backup")
    for _ in ("backup", "preflight", "migrate"):
        await person.goes()
    assert coupons(live) == (False, None)
    undo = live.small.folder / "prisma" / "migrations" / DROPPED / "rollback.sql"
    live.small.migration(f"../prisma/migrations/{COMPENSATING}", undo.read_bytes())
    await person.idle()
    await person.sends(c.Decide(what="no_go", phase="verify", reason="customers miss their coupons"))
    await person.sends(c.RollBack(option=option, reason="customers miss their coupons"))
    await person.goes()
    ended = person.view.ended
    assert ended is not None and (ended.outcome, ended.exit_code) == ("rolled_back", 1)
    await live.client.close()
    assert await asyncio.wait_for(live.over(), 60) == 1
    assert verify(live.folder / "journal.jsonl").grade == "consistent"
    assert (live.folder / "transcript.md").read_text().startswith("# ")
    used = {step.uses for step in next(o for o in person.view.runbook.options if o.id == option).steps}
    whole = {"restore.swap", "restore.replace"} & used
    expected = (True, 10) if whole else (True, 0) if "rollback.script" in used else (False, None)
    assert coupons(live) == expected
