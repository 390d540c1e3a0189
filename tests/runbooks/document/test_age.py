"""A runbook that nobody has read with care for too long is told, at the opening and when it is checked."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fix_command import Gonogo
from fix_live import HEAD, Live, write

from runbooks.document import read_runbook
from runbooks.document.age import overdue
from runbooks.session.runbook import PHASES, Runbook
from runbooks.settings.faults import DocumentError
from runbooks.steps import catalogue

TODAY = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("reviewed", "every", "words"),
    [
        ("", "", ""),
        ("2025-06-30", "", ""),
        ("2025-06-29", "", "366 days ago, and is to be every 365; it belongs to platform"),
        ("2026-01-01", "180d", ""),
        ("2026-01-01", "179d", "180 days ago, and is to be every 179"),
        ("2026-07-01", "", "yet to come"),
    ],
)
def test_it_is_overdue_only_after_its_period(reviewed: str, every: str, words: str) -> None:
    book = Runbook(name="t", owner="platform", reviewed=reviewed, review_every=every, phases=())
    told = overdue(book, TODAY)
    assert words in told and bool(words) == bool(told)


def headed(line: str) -> str:
    return f"```toml runbook\n{line}\n```\n\n" + "".join(f"## {phase.capitalize()}\n\n" for phase in PHASES)


@pytest.mark.parametrize("period", ['"soon"', '"5m"', "180"])
def test_a_period_is_days(period: str) -> None:
    with pytest.raises(DocumentError, match="line 2: `review_every` cannot be read"):
        read_runbook(headed(f"review_every = {period}"), catalogue=catalogue())


def test_check_says_so_and_holds_nothing(gonogo: Gonogo, tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text(headed('owner = "platform"\nreviewed = 2020-01-01'))
    said = gonogo("runbook", "check", "old.md")
    assert said.code == 0 and "in order" in said.out
    assert "old.md: it was reviewed on 2020-01-01" in said.err


async def test_the_opening_says_so(live: Live) -> None:
    write(live)
    old = (datetime.now(UTC).date() - timedelta(days=400)).isoformat()
    file = live.small.folder / "small.md"
    file.write_text(file.read_text().replace('name = "small"', f'name = "small"\nreviewed = {old}'))
    assert HEAD.count('name = "small"') == 1
    await live.start()
    view = await live.until(lambda view: view.phase == "backup")
    (check,) = (check for check in view.step("opening").checks if check.id == "runbook")
    assert check.outcome == "warn" and "400 days ago" in check.evidence
