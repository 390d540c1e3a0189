"""The answers file of a headless session, written by a person beforehand."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from migrations.problem import Misuse
from runbooks.forbidden import FIRST_RUN, SHELL
from runbooks.session.events import WINDOW, AnswersFile, PlanMade
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import PHASES, Item, Runbook
from runbooks.session.view import RunView
from runbooks.settings.nearest import nearest, one_of
from runbooks.steps import catalogue


class NotApplicable(Frozen):
    """`item = { not_applicable = "why" }`."""

    not_applicable: str


class Answers(Frozen):
    """Ticks by item id with evidence (or `true`), waivers and answers by id, reviews by migration, GO by phase.

    `undo`: what is to be undone before the session ends early, by the step that opened it.
    """

    items: dict[str, bool | str | NotApplicable] = {}
    waivers: dict[str, str] = {}
    reviews: dict[str, str] = {}
    answers: dict[str, str] = {}
    go: dict[str, bool] = {}
    undo: dict[str, bool] = {}


def read_answers(path: Path) -> tuple[Answers, AnswersFile]:
    """The answers, and what of the file goes into the journal's first record. Raises Misuse."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Misuse(f"The answers file {path} cannot be read: {error.strerror}.", advice="Check --answers.") from None
    return parse_answers(data, str(path)), AnswersFile(file=path.name, sha256=hashlib.sha256(data).hexdigest())


def parse_answers(data: bytes, name: str) -> Answers:
    """The answers in a file's bytes; `name` is what it is called. Raises Misuse."""
    try:
        return Answers.model_validate(tomllib.loads(data.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misuse(f"{name}: not TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][:2])
        known = ", ".join(Answers.model_fields)
        raise Misuse(f"{name}: {where}: {first['msg']}.", advice=f"The tables are: {known}.") from None


def check_answers(answers: Answers, runbook: Runbook, migrations: Sequence[str] | None = None) -> None:
    """Raises Misuse: an answer to nothing in this runbook is a slip of the pen, and would hold a gate for no reason.

    `migrations` are the names in the migrations folder, where they are known.
    """
    items = [item.id for section in runbook.sections() for item in section.items]
    subjects = ["opening", WINDOW, *(step.id for step in runbook.steps()), *items]
    questions = list(_questions(runbook))
    for table, names, known in (
        ("items", answers.items, items),
        ("waivers", [subject.partition("/")[0] for subject in answers.waivers], subjects),
        ("answers", [name for name in answers.answers if not _is_asked(name, questions)], questions),
        ("go", answers.go, [*PHASES, "rollback"]),
        ("undo", answers.undo, [step.id for step in runbook.steps() if step.undo]),
    ):
        for name in names:
            if name not in known:
                raise Misuse(
                    f"The answers file names {name} under [{table}], which {runbook.name} does not have.",
                    advice=f"Expected {one_of(name, known)}.",
                )
    _check_items(answers, runbook)
    files = {*(step.params.get("file") for step in runbook.steps()), *answers.answers.values()}
    for name in answers.reviews:
        if migrations is not None and name not in migrations and name not in files:
            near = nearest(name, migrations)
            raise Misuse(
                f"The answers file names {name} under [reviews], which the migrations folder does not have.",
                advice=f"Did you mean {near}?" if near else "Name the folder of a pending migration.",
            )


def _check_items(answers: Answers, runbook: Runbook) -> None:
    """Raises Misuse for what the session would refuse, hours later."""
    items = {item.id: item for section in runbook.sections() for item in section.items}
    for name, answer in answers.items.items():
        if not isinstance(answer, NotApplicable):
            if items[name].proved_by and answer is not False:
                raise Misuse(
                    f"The answers file ticks {name}, which the step {items[name].proved_by} proves.",
                    advice="Leave it out: it ticks itself, or holds.",
                )
            continue
        if items[name].required:
            raise Misuse(
                f"The answers file calls {name} not applicable, which is required: it always applies.",
                advice="Give its evidence, or `true`.",
            )
        if not answer.not_applicable.strip():
            raise Misuse(f"The answers file does not say why {name} is not applicable.", advice="Write the reason.")


def _questions(runbook: Runbook) -> Iterator[str]:
    """What may be asked, as [answers] names it; `*` at an end stands for what is known only when it is asked."""
    yield "opening/environment"
    kinds = catalogue()
    for step in runbook.steps():
        asks = () if step.uses == SHELL and step.when != FIRST_RUN else kinds[step.uses].asks
        yield from (f"{step.id}/{question}" for question in (*asks, "settle"))


def _is_asked(name: str, questions: Iterable[str]) -> bool:
    return any(name == q or (q.endswith("*") and name.startswith(q[:-1]) and name != q[:-1]) for q in questions)


def lacks(answers: Answers, view: RunView) -> Iterator[str]:
    """What a walk of this plan is sure to ask for, and the answers do not have: each by its name there.

    What a step may yet ask, or find, is not known beforehand.
    """
    opened, plan = view.opened, view.plan
    if opened is None or plan is None:
        return
    if view.protected and answers.answers.get("opening/environment") != opened.environment:
        yield f'[answers] "opening/environment" = "{opened.environment}"'
    for phase in view.runbook.phases:
        yield from (f"[items] {item.id}" for item in view.active_items(phase) if not _settles(answers, item))
        if phase.name == "preflight":
            scripts = (script for script in plan.to_review if answers.reviews.get(script.migration) != script.sha256)
            yield from (review_line(script.migration, script.sha256) for script in scripts)
        if not answers.go.get(phase.name, False):
            yield f"[go] {phase.name}"


def review_line(migration: str, sha256: str) -> str:
    """How the answers file says that a script was read: to be copied once somebody has."""
    return f'[reviews] {json.dumps(migration, ensure_ascii=False)} = "{sha256}"'


def _settles(answers: Answers, item: Item) -> bool:
    match answers.items.get(item.id):
        case None | False:
            return not item.required and bool(answers.waivers.get(item.id))
        case True:
            return not item.evidence
        case str(evidence):
            return bool(evidence.strip()) or not item.evidence
    return True


def idle_reviews(answers: Answers, plan: PlanMade) -> Iterator[str]:
    """What the reviews do not fit in this plan, in words."""
    pending = {script.migration: script.sha256 for script in plan.to_review}
    for name, sha256 in answers.reviews.items():
        if name not in pending:
            yield f"The answers file reviews {name}, which is not pending."
        elif sha256 != pending[name]:
            said, found = f"{sha256[:12]}…", f"{pending[name][:12]}…"
            yield f"The answers file reviews {name} as SHA-256 {said}; the one that is pending is {found}."
