"""The answers file of a headless session, written by a person beforehand."""

import hashlib
import tomllib
from pathlib import Path

from pydantic import ValidationError

from migrations.problem import Misuse
from runbooks.events import AnswersFile
from runbooks.frozen import Frozen
from runbooks.nearest import one_of
from runbooks.runbook import PHASES, Runbook


class NotApplicable(Frozen):
    """`item = { not_applicable = "why" }`."""

    not_applicable: str


class Answers(Frozen):
    """Ticks by item id with evidence (or `true`), waivers and answers by id, reviews by migration, GO by phase."""

    items: dict[str, bool | str | NotApplicable] = {}
    waivers: dict[str, str] = {}
    reviews: dict[str, str] = {}
    answers: dict[str, str] = {}
    go: dict[str, bool] = {}


def read_answers(path: Path) -> tuple[Answers, AnswersFile]:
    """The answers, and what of the file goes into the journal's first record. Raises Misuse."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Misuse(f"The answers file {path} cannot be read: {error.strerror}.", advice="Check --answers.") from None
    try:
        answers = Answers.model_validate(tomllib.loads(data.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misuse(f"{path}: not TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][:2])
        known = ", ".join(Answers.model_fields)
        raise Misuse(f"{path}: {where}: {first['msg']}.", advice=f"The tables are: {known}.") from None
    return answers, AnswersFile(file=path.name, sha256=hashlib.sha256(data).hexdigest())


def check_answers(answers: Answers, runbook: Runbook) -> None:
    """Raises Misuse: an answer to nothing in this runbook is a slip of the pen, and would hold a gate for no reason."""
    items = [item.id for section in runbook.sections() for item in section.items]
    subjects = ["opening", *(step.id for step in runbook.steps()), *items]
    for table, names, known in (
        ("items", answers.items, items),
        ("waivers", [subject.partition("/")[0] for subject in answers.waivers], subjects),
        ("go", answers.go, [*PHASES, "rollback"]),
    ):
        for name in names:
            if name not in known:
                raise Misuse(
                    f"The answers file names {name} under [{table}], which {runbook.name} does not have.",
                    advice=f"Expected {one_of(name, known)}.",
                )
