"""The one way from an environment of gonogo.toml to its database."""

import ast
from pathlib import Path
from typing import Literal

import pytest
from fix_command import SmallProject

from runbooks.check.impact import read_target
from runbooks.ledger.status import status_of
from runbooks.settings import project as projects
from runbooks.settings.project import Environment
from runbooks.settings.setting import read_urls, target_of
from tests.migrations.pooler import pooled

TOP = Path(__file__).parents[3]
WITHOUT_ENVIRONMENT = {"anchors_target.py", "attempts.py", "shop.py", "applying.py"}
"""Two have a target already, the others are the demo, which has a server of its own."""


@pytest.mark.parametrize("direct", [None, "B"])
@pytest.mark.parametrize("pooler", [None, "session"])
def test_a_target_is_the_direct_address_through_the_pooler_that_is_declared(
    direct: str | None, pooler: Literal["session"] | None
) -> None:
    environment = Environment(name="e", url="A", direct_url=direct, pooler=pooler)
    urls = read_urls(environment, {"A": "postgresql://u@a/x", "B": "postgresql://u@b/x"})
    target = target_of(environment, urls)
    assert (target.url.host, target.pooled) == ("b" if direct else "a", pooler == "session")


def test_nothing_else_makes_a_target_of_an_environment() -> None:
    makers = set()
    for path in (TOP / "runbooks").rglob("*.py"):
        calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
        if any(isinstance(called, ast.Name) and called.id == "Pinned" for called in calls):
            makers.add(path.name)
    assert makers - WITHOUT_ENVIRONMENT == {"setting.py"}


async def test_status_and_check_go_through_a_session_pooler(small: SmallProject) -> None:
    small.toml(pooler="session")
    project = projects.load(small.folder / "gonogo.toml")
    environment = project.environment("here")
    async with pooled(small.url, transaction=False) as url:
        status = await status_of(project, environment, {"SMALL_URL": url})
        target = await read_target(project, environment, (), {"SMALL_URL": url})
    assert status.pending == ("20260101000000_notes",)
    assert target.plan.applied == ()
