"""What docs/runbook.md and docs/project.md show is what is read; what is read is in them."""

import re
from pathlib import Path
from typing import get_args

import pytest

from migrations.doctor import StateName
from migrations.impact.estimate import RATES
from migrations.impact.words import count_text, size_text
from migrations.problem import Misuse
from runbooks.document import read_runbook
from runbooks.document.heads import COLUMNS, KEYS
from runbooks.document.identifiers import RESERVED
from runbooks.document.steps import ITEM_ATTRIBUTES, RUN_ATTRIBUTES, SHELL, STEP_KEYS
from runbooks.library import read_shipped
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import CONDITIONS, PHASES
from runbooks.settings.project import load
from runbooks.settings.project_file import ENVIRONMENT_KEYS, NAMINGS, PROJECT_KEYS, REVIEW_KEYS
from runbooks.steps import catalogue
from runbooks.steps.base import Context, StepKind

DOCS = Path(__file__).parents[3] / "docs"
RUNBOOK = (DOCS / "runbook.md").read_text(encoding="utf-8")
PROJECT = (DOCS / "project.md").read_text(encoding="utf-8")

KINDS = catalogue()


class Anything(Frozen, extra="allow"):
    """Takes every parameter."""


async def run(context: Context, params: Anything) -> Anything:
    raise NotImplementedError


def test_the_example_of_a_project_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(\[project\].*?)```", PROJECT, re.DOTALL)
    (tmp_path / "gonogo.toml").write_text(example, encoding="utf-8")
    production = load(tmp_path / "gonogo.toml").environment("production")
    assert (production.protected, production.parity) == (True, "staging")


def test_the_examples_of_a_runbook_are_read() -> None:
    examples = re.findall(r"~~~markdown\n(.*?)~~~", RUNBOOK, re.DOTALL)
    assert len(examples) == 11
    (head, dump, apply, asked, offsite, pair, health, capture, back, undo, moment) = examples
    steps = dump + apply + asked + offsite + pair + health + capture
    text = head + "".join(f"## {phase.capitalize()}\n{steps if phase == 'smoke' else ''}\n" for phase in PHASES)
    kind = StepKind("Anything", "reads", Anything, run)
    used = (
        "backup.dump",
        "migrations.apply",
        "prisma.diff",
        "http.check",
        "rollback.read",
        "rollback.script",
        "target.repin",
        "ledger.inspect",
    )
    read = read_runbook(text + back + undo + moment, catalogue=dict.fromkeys(used, kind))
    ids = [step.id for step in read.steps()]
    assert ids == [
        *("dump", "migrations-apply", "prisma-diff", "offsite", "maintenance-on", "maintenance-off"),
        *("http-check", "login", "orders", "rollback-read", "rollback-script"),
        *("ask-for-it", "target-repin", "there"),
    ]
    assert read.options[0].until == "deploy"


def test_the_examples_of_backups_are_read_and_name_steps_that_are_there() -> None:
    """And a step that is named wrongly is found when the document is read, not in the night."""
    own, proof = re.findall(r"~~~markdown\n(.*?)~~~", (DOCS / "backup.md").read_text(encoding="utf-8"), re.DOTALL)
    phases = "".join(f"## {phase.capitalize()}\n{own + proof if phase == 'backup' else ''}\n" for phase in PHASES)
    text = f"# Backups\n{phases}"
    assert [step.id for step in read_runbook(text).steps()] == ["own", "dump", "cloud", "point", "proof"]
    for key, name in {"from": "own", "snapshot": "cloud"}.items():
        with pytest.raises(Misuse, match=rf"`{key}` names no earlier step `{name}s`; expected `{name}`"):
            read_runbook(text.replace(f'{key} = "{name}"', f'{key} = "{name}s"'))


def test_whatever_names_a_step_is_looked_up_when_the_document_is_read() -> None:
    naming = {"dump", "from", "side", "snapshot"}
    takes = {
        uses: {info.alias or key for key, info in kind.params.model_fields.items()} for uses, kind in KINDS.items()
    }
    assert {uses: set(kind.names) for uses, kind in KINDS.items()} == {uses: takes[uses] & naming for uses in KINDS}


@pytest.mark.parametrize(
    "word",
    sorted(
        {
            *STEP_KEYS,
            *RUN_ATTRIBUTES,
            *ITEM_ATTRIBUTES,
            *KEYS["runbook"],
            *KEYS["option"],
            *CONDITIONS,
            *RESERVED,
            *COLUMNS,
        }
    ),
)
def test_every_key_of_a_runbook_is_documented(word: str) -> None:
    assert re.search(rf"`{word}`|^{word} = |[ |]{word}( \||=)", RUNBOOK, re.MULTILINE), (
        f"{word} is not in docs/runbook.md"
    )


def test_the_ids_that_are_taken_are_named_together() -> None:
    (sentence,) = re.findall(r"none may be used twice\. (.+) are taken\.", RUNBOOK)
    assert re.findall(r"`([a-z-]+)`", sentence) == sorted(RESERVED)


@pytest.mark.parametrize("word", sorted({*PROJECT_KEYS, *ENVIRONMENT_KEYS, *REVIEW_KEYS, *NAMINGS} - {"values"}))
def test_every_key_of_a_project_is_documented(word: str) -> None:
    assert re.search(rf"^\| `{word}` \||`{word}` \(", PROJECT, re.MULTILINE), f"{word} is not in docs/project.md"


def test_the_rates_of_the_guesses_are_documented() -> None:
    rows = re.findall(r"^\| .+ \| (\d[^|]*?)(?: of the table)? \| (\d[^|]*?) \|$", PROJECT, re.MULTILINE)
    rates = [RATES[work] for work in ("scan", "build", "rewrite")]
    texts = [(f"{size_text(rate.slow)}/s", f"{size_text(rate.fast)}/s") for rate in rates]
    data = tuple(f"{count_text(speed)} rows/s" for speed in RATES["data"])
    assert rows == [*texts, data]


def test_every_step_and_its_parameters_are_documented() -> None:
    rows = dict(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|.*?\| (?=\*|`|\|)(.*?)\|.*\|$", RUNBOOK, re.MULTILINE))
    kinds = {name: kind for name, kind in catalogue().items() if name != SHELL}
    documented = {name: set(re.findall(r"`(\w+)`", text)) for name, text in rows.items()}
    assert documented == {
        name: {info.alias or field for field, info in kind.params.model_fields.items()} for name, kind in kinds.items()
    }


def test_every_state_of_the_ledger_is_documented() -> None:
    states = re.findall(r"^\| `([a-z][a-z0-9-]+)` \|", (DOCS / "ledger.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(states) == get_args(StateName)


def test_the_examples_in_comments_of_shipped_runbooks_are_read() -> None:
    for name in ("production", "staging"):
        text = re.sub(r"^<!--\n(.*?)^-->\n", r"\1", read_shipped(name), flags=re.MULTILINE | re.DOTALL)
        assert "<!--\n" not in text
        ids = [step.id for step in read_runbook(text, name=name).steps()]
        assert {"deploy", "health"} <= set(ids)
