"""What git says of a checkout, for the record."""

import subprocess
from pathlib import Path

import pytest

from runbooks.planning.git import head_of


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "gonogo.toml").write_text("")
    who = ["git", "-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*who, *words], cwd=tmp_path, check=True)
    return folder


async def test_plans_and_approvals_that_lie_about_are_no_changes(project: Path) -> None:
    async def clean() -> bool:
        git = await head_of(project)
        assert git is not None
        return git.clean

    assert await clean()
    for name, text in (("p ü.json", '{"format":"gonogo plan 1"}'), ("a.json", '{"format":"gonogo approval 1"}')):
        (project / name).write_text(text)
        (project / f"{name}.sig").write_text("…")
    assert await clean()
    (project / "other.json").write_text('{"about":"\\"format\\":\\"gonogo plan 1\\""}')
    assert not await clean()
    (project / "other.json").unlink()
    (project / "gonogo.toml").write_text("[project]")
    assert not await clean()
