"""`incident.note` adds to the incident log and takes nothing away from it, and no secret gets there."""

import threading
from pathlib import Path

import pytest
from fix_disk import full_disk

from migrations.problem import Misuse, Unavailable
from runbooks.session import events as e
from runbooks.steps import catalogue
from runbooks.steps.base import Settled
from runbooks.steps.parts.appending import append
from tests.runbooks.steps_context import BY, SHA, TARGET, StepContext

NOWHERE = "postgresql://nobody@localhost:1/none"
LOG = "docs/incidents.md"


@pytest.fixture
def ctx(tmp_path: Path) -> StepContext:
    ctx = StepContext(NOWHERE, tmp_path, answers={"what": "put back\n# as *it* was, hunter2-hunter2"})
    script = e.Script(migration="20260101_a", sha256=SHA, size=1, model="safe", statements=())
    ctx.events += [
        e.PlanMade(hash=SHA, target=TARGET, protected=False, scripts=(script,)),
        e.Decided(what="go", phase="migrate", by=BY),
        e.Decided(what="no_go", phase="verify", reason="rows <are> gone", by=BY),
    ]
    return ctx


async def test_what_was_done_is_added_with_what_the_record_says(ctx: StepContext, tmp_path: Path) -> None:
    result = await ctx.run("incident.note", id="note")
    text = (tmp_path / LOG).read_text()
    assert text == result.entry and (tmp_path / LOG).stat().st_mode & 0o777 == 0o644
    assert text.startswith(
        "## 2026-01-31 02:03 UTC, staging, CHG-4821\n\n> put back\n> \\# as \\*it\\* was, «redacted:TOKEN»\n"
    )
    for words in (
        "- by ana@example.org, as claimed (login ana on bastion-1)",
        "pending were: 20260101_a",
        "- GO in migrate\n",
        "- NO-GO in verify: rows \\<are\\> gone",
        f"session {ctx.session}, head ",
    ):
        assert words in text, words
    (tmp_path / LOG).write_text("# Incidents, by hand")
    await ctx.run("incident.note", id="note", text="again")
    assert (tmp_path / LOG).read_text().startswith("# Incidents, by hand\n\n## 2026-01-31")


async def test_a_start_without_an_end_is_looked_up_in_the_file(ctx: StepContext, tmp_path: Path) -> None:
    await ctx.run("incident.note", id="note", text="x")
    kind = catalogue()["incident.note"]
    assert kind.reconcile is not None

    async def settled(attempt: int) -> Settled:
        start = e.StepStarted(
            step="note", attempt=attempt, title="x", uses="incident.note", effect="outside", why="start"
        )
        found = await kind.reconcile(ctx, kind.params(), start)  # type: ignore[misc]
        assert isinstance(found, Settled)
        return found

    assert [(await settled(n)).end for n in (1, 2)] == ["done", "stopped"]


@pytest.mark.parametrize("file", ["../elsewhere.md", "/etc/incidents.md", " ", "link/x.md"])
async def test_a_file_elsewhere_is_refused(ctx: StepContext, tmp_path: Path, file: str) -> None:
    (tmp_path / "link").symlink_to("/tmp")
    with pytest.raises(Misuse, match="not in the project's folder"):
        await ctx.run("incident.note", file=file, text="x")


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    threads = [threading.Thread(target=append, args=(path, f"{n}\n" * 1000)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blocks = path.read_text().split("\n\n")
    assert sorted(block.strip("\n") for block in blocks) == sorted("\n".join([str(n)] * 1000) for n in range(8))


def test_what_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    with full_disk(tmp_path / "small", "64k") as place:
        append(place / "a.md", "before\n")
        with pytest.raises(Unavailable, match="cannot be added to"):
            append(place / "a.md", "x" * 4_000_000)
        assert (place / "a.md").read_text() == "before\n"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.md").symlink_to(tmp_path / "real")
    with pytest.raises(Unavailable):
        append(tmp_path / "a.md", "x")
    assert not (tmp_path / "real").exists()
