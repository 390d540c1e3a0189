"""The answers file: what it names must be there to be answered, as far as that is known beforehand."""

import re
import tomllib
from pathlib import Path

import pytest

from migrations.problem import Misuse
from runbooks import steps
from runbooks.document import read_runbook
from runbooks.faces.answers import Answers, check_answers, idle_reviews, lacks
from runbooks.session.runbook import PHASES
from runbooks.session.view import fold
from runbooks.steps import catalogue
from tests.runbooks.conftest import opening, the_plan

TEXT = """# Small

```toml runbook
name = "small"
```

## Backup

```sh run id="copy" title="Copy"
true
```

## Preflight

- [ ] It is safe <!-- id=safe required -->
- [ ] Support knows <!-- id=told -->

## Migrate

```toml step
id = "apply"
uses = "migrations.apply"
```

## Verify
## Deploy
## Smoke
## Rollback

### Restore

```toml option
costs = "minutes"
loses = "rows"
```

```toml step
id = "swap"
uses = "restore.swap"
```
"""
BOOK = read_runbook(TEXT, name="small.md", catalogue=catalogue())
FOLDER = ["20260101000000_notes", "20260102000000_tags"]


@pytest.mark.parametrize(
    "tables",
    [
        {"answers": {"copy/settle": "done", "swap/database": "shop", "opening/environment": "staging"}},
        {"answers": {"apply/effect-0b1c": "it took effect"}},
        {"reviews": {FOLDER[0]: "ab" * 32}, "go": {"rollback": True}},
    ],
)
def test_what_can_be_answered_is_taken(tables: dict[str, object]) -> None:
    check_answers(Answers.model_validate(tables), BOOK, FOLDER)


@pytest.mark.parametrize(
    ("table", "name", "near"),
    [
        ("answers", "copy/setle", "`copy/settle`"),
        ("answers", "copy", "`copy/settle`"),
        ("answers", "apply/effect-", "`apply/effect-*`"),
        ("answers", "copy/database", "`swap/database`"),
        ("answers", "opening/settle", "opening/environment"),
        ("reviews", "20260101000000_note", "20260101000000_notes"),
        ("reviews", "elsewhere", "Name the folder of a pending migration"),
    ],
)
def test_what_nobody_asks_is_a_slip_of_the_pen(table: str, name: str, near: str) -> None:
    with pytest.raises(Misuse, match=re.escape(f"names {name} under [{table}]")) as caught:
        check_answers(Answers.model_validate({table: {name: "x"}}), BOOK, FOLDER)
    assert near in caught.value.advice


@pytest.mark.parametrize(
    ("item", "reason", "words"),
    [("safe", "a rehearsal", "it always applies"), ("told", " ", "does not say why told"), ("told", "at night", "")],
)
def test_what_is_not_applicable_needs_a_reason_and_no_required_item_is(item: str, reason: str, words: str) -> None:
    answers = Answers.model_validate({"items": {item: {"not_applicable": reason}}})
    if not words:
        check_answers(answers, BOOK)
        return
    with pytest.raises(Misuse, match=words):
        check_answers(answers, BOOK)


def test_where_the_folder_is_not_known_reviews_are_not_judged() -> None:
    check_answers(Answers(reviews={"elsewhere": "x"}), BOOK)


def test_a_review_that_fits_nothing_pending_is_told() -> None:
    plan = the_plan()
    (script,) = plan.scripts
    assert list(idle_reviews(Answers(reviews={script.migration: script.sha256}), plan)) == []
    stale, idle = idle_reviews(Answers(reviews={script.migration: "cd" * 32, FOLDER[0]: "ef" * 32}), plan)
    assert script.migration in stale and "cdcdcdcdcdcd…" in stale and f"{script.sha256[:12]}…" in stale
    assert idle == f"The answers file reviews {FOLDER[0]}, which is not pending."


def lacking(**tables: object) -> list[str]:
    """What a walk of the plan lacks by these answers, if they say GO and review everything."""
    plan = the_plan()
    whole = {
        "go": dict.fromkeys(PHASES, True),
        "reviews": {script.migration: script.sha256 for script in plan.to_review},
        "items": {"offsite": "vault:db-dumps"},
        "answers": {"opening/environment": "production"},
    }
    view = fold([(0, "2026-01-31T02:03:04.123456Z", opening()), (1, "2026-01-31T02:03:05.123456Z", plan)])
    return list(lacks(Answers.model_validate(whole | tables), view))


def test_what_an_unattended_walk_is_sure_to_lack_is_known_beforehand() -> None:
    assert lacking() == []
    assert lacking(items={"offsite": True}) == ["[items] offsite"], "it asks where"
    assert lacking(items={}, waivers={"offsite": "known"}) == []
    assert lacking(items={"offsite": {"not_applicable": "no dump"}}) == []
    assert lacking(answers={}) == ['[answers] "opening/environment" = "production"']
    scripts = the_plan().to_review
    assert len(scripts) == 2, "what undoes a script is reviewed, too"
    told = lacking(reviews={scripts[0].migration: "ff" * 32}, go={"backup": True, "preflight": True})
    assert told[2:] == [f"[go] {phase}" for phase in PHASES[2:]]
    written = [tomllib.loads(line.replace("] ", "]\n")) for line in told[:2]]
    assert written == [{"reviews": {script.migration: script.sha256}} for script in scripts], "it can be copied"


def test_every_question_that_a_step_asks_is_declared() -> None:
    """Questions of built-in steps, as their source has them."""
    source = "".join(path.read_text() for path in sorted(Path(steps.__path__[0]).rglob("*.py")))
    asked = re.findall(r"ctx\.ask\(\s*f?\"([^\"]+)\"", source)
    assert len(asked) == source.count("ctx.ask(")
    declared = {question for kind in catalogue().values() for question in kind.asks}
    assert {re.sub(r"\{.*", "*", question) for question in asked} == declared
