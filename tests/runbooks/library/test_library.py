"""The runbooks that ship are whole: they parse, and name only what there is."""

import pytest
from click.testing import CliRunner

from migrations.problem import Misuse
from runbooks.document import read_runbook
from runbooks.library import read_shipped, shipped
from runbooks.session.runbook import PHASES, Runbook
from runbooks.settings.faults import DocumentError
from tui.commands.runbook import runbooks_group


def runbook(name: str) -> Runbook:
    return read_runbook(read_shipped(name), name=name)


def test_what_ships() -> None:
    assert shipped() == (
        *("backend", "deploy-and-rollback", "development", "production"),
        *("six-step", "staging", "web-app", "zero-downtime"),
    )
    with pytest.raises(KeyError):
        read_shipped("prodution")


def test_they_are_listed_with_their_titles_and_checked_as_what_they_are() -> None:
    listed = CliRunner().invoke(runbooks_group, ["list"]).output.splitlines()
    assert [line.split()[0] for line in listed] == list(shipped())
    assert "six-step             Six steps" in listed
    with pytest.raises(Misuse, match="production is no file here, but a runbook that ships"):
        CliRunner().invoke(runbooks_group, ["check", "production"], catch_exceptions=False)


@pytest.mark.parametrize("name", shipped())
def test_the_outline_is_whole(name: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_runbook(read_shipped(name), name=name, catalogue={})
    follows = ("names no step", "nothing looks whether it is its turn")
    whats = [fault.what for fault in caught.value.faults if not any(words in fault.what for words in follows)]
    assert {what.split(" `")[0] for what in whats} == {"unknown step"}


@pytest.mark.parametrize("name", shipped())
def test_it_parses(name: str) -> None:
    read = runbook(name)
    assert read.name == name
    assert [phase.name for phase in read.phases] == list(PHASES)
    assert all(step.title and step.id for step in read.steps())
    assert read.troubleshooting and (read.contacts or name == "development")
    ways = [option.id for option in read.options]
    assert name == "development" or (ways[0] == "forward-fix" and "restore-from-the-backup" in ways)


def test_production_asks_what_staging_does_not() -> None:
    production, staging = runbook("production"), runbook("staging")
    assert [(s.id, s.uses) for p in production.phases for s in p.steps] == [
        (s.id, s.uses) for p in staging.phases for s in p.steps
    ], "a rehearsal runs the same steps"
    destructive = [i for p in production.phases for i in p.items if i.when == "destructive" and i.required]
    assert len(destructive) >= 4


@pytest.mark.parametrize("name", shipped())
def test_advice_is_not_hidden_behind_a_shorter_pattern(name: str) -> None:
    seen = [advice.see for advice in runbook(name).troubleshooting]
    assert len(seen) == len(set(seen))
    assert all(len(see) >= 5 for see in seen), "shorter patterns match by accident"


@pytest.mark.parametrize("name", shipped())
def test_each_asks_about_what_blocks(name: str) -> None:
    preflight = next(phase for phase in runbook(name).phases if phase.name == "preflight")
    asked = [item for item in preflight.items if item.when == "blocking"]
    assert asked, "without a checklist, scripts.inspect asks for a reason each time"
