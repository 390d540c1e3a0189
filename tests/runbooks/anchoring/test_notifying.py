"""The team's command gets the notice by its environment, and cannot stop anything."""

import os
from pathlib import Path

import pytest

from runbooks.anchoring.notifying import Notice, notify

NOTICE = Notice("go", "GO for Migrate 'of' shop\nsecond line", head="7:" + "ab" * 32)
PATH = {"PATH": os.environ["PATH"]}


async def test_the_notice_reaches_the_command_by_its_environment(tmp_path: Path) -> None:
    tell = 'printf "%s|%s|%s" "$GONOGO_NOTICE_WHY" "$GONOGO_HEAD" "$GONOGO_NOTICE" >told; echo ok'
    delivery = await notify(["sh", "-c", tell], NOTICE, cwd=tmp_path, env=PATH)
    assert delivery.delivered and delivery.words == "sh took it: ok"
    assert (tmp_path / "told").read_text() == f"go|{NOTICE.head}|{NOTICE.text}"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["sh", "-c", "echo no such channel >&2; exit 3"], "ended with 3: no such channel"),
        (["no-such-program-here"], "no program no-such-program-here"),
        (["./missing"], "no program ./missing"),
    ],
)
async def test_what_was_not_delivered_is_told_and_not_raised(tmp_path: Path, argv: list[str], words: str) -> None:
    delivery = await notify(argv, NOTICE, cwd=tmp_path, env=PATH)
    assert not delivery.delivered and words in delivery.words


async def test_a_command_that_hangs_has_not_delivered(tmp_path: Path) -> None:
    delivery = await notify(["sleep", "60"], NOTICE, cwd=tmp_path, env=PATH, seconds=0.2)
    assert not delivery.delivered and "did not end within" in delivery.words
