"""Begins a session, or takes one up: a folder, a runner, and the face's connection to it."""

import functools
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from migrations.folder import read_folder, with_reverse
from migrations.problem import Misuse, Problem, Unavailable
from runbooks.approvals.approval_document import Signed, misfit, other_answers, read_approval
from runbooks.approvals.kept import MOST, keep, kept, read_kept
from runbooks.document import read_runbook
from runbooks.document.chosen import runbook_text
from runbooks.document.seen import FOLDER as SEEN
from runbooks.document.seen import Kept, kept_name, read_beside
from runbooks.faces.answers import Answers, check_answers, read_answers
from runbooks.faces.client import Client, start_runner
from runbooks.forbidden import check_commands
from runbooks.history.sessions import create_folder, new_session_id, sessions_root
from runbooks.host.machine import must_be_here
from runbooks.host.mounts import must_be_local
from runbooks.host.peers import account_of
from runbooks.host.sharing import circle_of
from runbooks.journal import NAME, read
from runbooks.journal.artefacts import make_folder, write_private
from runbooks.planning.allowed import may_begin
from runbooks.planning.narrowed import WHOLE, Narrowing, check_narrowing, pauses
from runbooks.redact import Redactor
from runbooks.session.events import AnswersFile, By, PlanMade, SessionOpened
from runbooks.session.frozen import Frozen
from runbooks.session.references import check_values
from runbooks.session.runbook import Document, Mode, Runbook
from runbooks.session.windows import EXPECTED, read_window
from runbooks.settings.nearest import nearest
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import secrets
from runbooks.signing.signatory import AGENT, Signing
from runbooks.steps import catalogue

LONGEST_TICKET = 200
NOBODY_TO_ASK = "A pause between transactions asks a person whether to go on, and nobody watches this session."


class Request(Frozen):
    """What a session is begun or taken up with. A resume takes the rest from the journal."""

    resume: bool = False
    project: str = ""
    environment: str = ""
    mode: Mode = "walk"
    ticket: str = ""
    narrowing: Narrowing = WHOLE
    operator: By
    answers: AnswersFile | None = None
    headless: bool = False
    signing: Signing | None = None
    emergency: str = ""
    unsigned: bool = False
    windows: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """On what a session that needs approvals goes: on these, or without any, in an emergency, for this reason."""

    approvals: tuple[Signed, ...] = ()
    emergency: str = ""
    unsigned: bool = False


USUAL = Lane()


def lane_of(approvals: Sequence[Path], emergency: str | None, *, unsigned: bool = False) -> Lane:
    """The approvals in files, or the reason to go without; `unsigned`: no key is at hand. Raises Misuse."""
    if unsigned and emergency is None:
        raise Misuse("--unsigned is for an emergency.", advice="Leave it out: a session is signed only with --sign.")
    if emergency is not None and not emergency.strip():
        raise Misuse("The emergency lane wants a reason.", advice="--emergency REASON; it is told to others.")
    if approvals and emergency:
        raise Misuse("A session has approvals, or goes without in an emergency.", advice="Leave one of them out.")
    if len(approvals) > MOST:
        raise Misuse(f"A session has {MOST} approvals at the most.")
    given = tuple(map(read_approval, approvals))
    if given and (wrong := next((one for one in given if one.document.plan != given[0].document.plan), None)):
        raise Misuse(f"{wrong.name} and {given[0].name} approve different plans.", advice="One plan, one session.")
    return Lane(given, (emergency or "").strip(), unsigned)


def windows_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The maintenance windows of one session, as they were given. Raises Misuse."""
    for text in (found := tuple(texts)):
        try:
            read_window(text)
        except ValueError as error:
            raise Misuse(f"--window {text}: {error}.", advice=f"Expected {EXPECTED}.") from None
    return found


def environment_of(project: Project, name: str) -> Environment:
    """An environment by its name. Raises Misuse with the nearest one."""
    found = project.environments.get(name)
    if found is None:
        known = ", ".join(project.environments) or "none"
        hint = nearest(name, project.environments)
        raise Misuse(
            f"gonogo.toml has no environment {name}; it has: {known}.", advice=f"Did you mean {hint}?" if hint else ""
        )
    return found


def may_run_headless(environment: Environment, mode: str, lane: Lane = USUAL) -> None:
    """Raises Misuse: nobody watches, and a protected environment wants a person, or a plan that was approved."""
    if environment.protected and mode == "walk" and not lane.approvals:
        raise Misuse(
            f"{environment.name} is protected: it does not run unattended without an approved plan.",
            advice=f"Run `gonogo run {environment.name}` on a terminal, or with --approval FILE.",
        )


def ticket_of(said: str) -> str:
    """A ticket as it is recorded; empty if nothing was said. Raises Misuse."""
    ticket = said.strip()
    if not ticket.isprintable() or len(ticket) > LONGEST_TICKET:
        raise Misuse("A ticket is one line of plain text.", advice=f"At most {LONGEST_TICKET} characters.")
    return ticket


async def begin(
    project_file: Path,
    project: Project,
    environment: Environment,
    *,
    operator: By,
    ticket: str,
    mode: Mode = "walk",
    answers: Path | None = None,
    headless: bool,
    environ: Mapping[str, str],
    document: tuple[str, str] | None = None,
    narrowing: Narrowing = WHOLE,
    signing: Signing | None = None,
    lane: Lane = USUAL,
    windows: tuple[str, ...] = (),
) -> tuple[Client, Answers]:
    """Begin a session. `document`: the name and text of a runbook, if it is not the environment's own.

    Raises Problem; a wrong configuration leaves no folder behind.
    """
    may_begin(environment, mode)
    if headless:
        may_run_headless(environment, mode, lane)
    _must_be_signed(lane, environment, signing)
    _must_be_for_this(lane.approvals, project, environment, ticket)
    given, answers_file = read_answers(answers) if answers else (Answers(), None)
    _must_be_approved(lane.approvals, answers_file)
    name, text = document or runbook_text(project, environment)
    redact = Redactor(secrets(project, environ)).text
    runbook, seen = _read(text, name, project, environment, redact)
    check_answers(given, runbook, _migrations(project, undoing=True) if given.reviews else None)
    check_narrowing(runbook, _migrations(project) if narrowing.to else None, narrowing)
    _must_be_possible(runbook, name, mode, pause=narrowing.pause, headless=headless)
    root = sessions_root(project, environ)
    must_be_local(root)
    folder = create_folder(root, new_session_id(datetime.now(UTC), environment.name), circle_of(project))
    request = Request(
        project=str(project_file.resolve()),
        environment=environment.name,
        mode=mode,
        ticket=ticket,
        narrowing=narrowing,
        operator=operator,
        answers=answers_file,
        headless=headless,
        signing=signing,
        emergency=lane.emergency,
        unsigned=lane.unsigned,
        windows=windows,
        documents=tuple(one.document for one in seen),
    )
    try:
        keep(folder, lane.approvals)
        write_private(folder / "runbook.md", text.encode())
        _keep_seen(folder, seen)
        return await _run(folder, request, environ), given
    except BaseException:
        if not (folder / NAME).exists():
            shutil.rmtree(folder)
        raise


def _read(
    text: str, name: str, project: Project, environment: Environment, redact: Callable[[str], str]
) -> tuple[Runbook, Sequence[Kept]]:
    """The runbook, which this environment may run, and the documents beside it. Raises Problem."""
    runbook, seen = read_beside(text, project.folder, name=name, catalogue=catalogue(), redact=redact)
    check_values(runbook, environment.name, environment.values)
    if environment.protected:
        check_commands(runbook, name, project.folder, environment.values)
    return runbook, seen


def _must_be_possible(runbook: Runbook, name: str, mode: Mode, *, pause: bool, headless: bool) -> None:
    """Raises Misuse for what this document cannot be run as."""
    if headless and (pause or pauses(runbook)):
        raise Misuse(NOBODY_TO_ASK, advice="Run it on a terminal, or leave the pauses out.")
    if mode == "backup" and not runbook.phases[0].steps:
        raise Misuse(f"{name} has no step in Backup.", advice="Write one that takes a dump.")


def _must_be_for_this(approvals: Sequence[Signed], project: Project, environment: Environment, ticket: str) -> None:
    """Raises Misuse for an approval of something else."""
    for words in (misfit(one, project.name, environment.name, ticket) for one in approvals):
        if words:
            raise Misuse(words, advice="Run what it approves, or ask for an approval of a new plan.")


def _must_be_signed(lane: Lane, environment: Environment, signing: Signing | None) -> None:
    """Raises Misuse: a second person may be out of reach, the operator's own key seldom is."""
    if signing is not None or lane.unsigned:
        return
    if lane.approvals:
        raise Misuse("With approvals, who operates is proven and not claimed.", advice="Sign the session: --sign KEY.")
    if lane.emergency and (environment.signers or environment.signers_from):
        raise Misuse(
            "Where signers are named, who operates is proven and not claimed, in an emergency too.",
            advice="Sign the session: --sign KEY. If no key is at hand: --unsigned, which stands in the record.",
        )


def _keep_seen(folder: Path, seen: Sequence[Kept]) -> None:
    if seen:
        make_folder(folder / SEEN)
    for one in seen:
        write_private(folder / kept_name(one.document), one.data)


def _must_be_approved(approvals: Sequence[Signed], answers: AnswersFile | None) -> None:
    """Raises Misuse: what is decided beforehand is approved with the plan."""
    if approvals and (words := other_answers(approvals[0], answers)):
        raise Misuse(words, advice="Ask for an approval of a plan with these answers: gonogo plan --answers FILE.")


def _migrations(project: Project, *, undoing: bool = False) -> list[str] | None:
    """The names in the migrations folder, `undoing` with the scripts that undo them.

    None where it cannot be read, which the opening tells.
    """
    try:
        found = read_folder(project.migrations)
        return [migration.name for migration in (with_reverse(found) if undoing else found)]
    except Misuse:
        return None


def begun_on(project: Project, project_file: Path, environ: Mapping[str, str]) -> bool:
    """Whether a session stands on this gonogo.toml."""
    first = (next(read(path), None) for path in sessions_root(project, environ).glob(f"*/{NAME}"))
    opened = (record.event for record in first if record is not None)
    return any(isinstance(e, SessionOpened) and e.project_file == str(project_file.resolve()) for e in opened)


async def take_up(
    folder: Path,
    *,
    operator: By,
    answers: Path | None,
    headless: bool,
    environ: Mapping[str, str],
    signing: Signing | None = None,
) -> tuple[Client, Answers]:
    """Attach to a session's runner, or start one from its journal. Raises Problem."""
    given, answers_file = read_answers(answers) if answers else (Answers(), None)
    if answers:
        check_answers(given, read_runbook(folder / "runbook.md", catalogue=catalogue()))
    opened = _first(folder)
    must_be_local(folder)
    must_be_here(opened)
    if headless:
        _may_go_on_headless(opened, folder, operator)
    _must_be_approved(read_kept(folder), answers_file)
    sort = "headless" if headless else "screen"
    attach = functools.partial(
        Client.attach,
        folder,
        sort=sort,
        by=operator,
        answers=answers_file,
        signing=signing,
        agent=environ.get(AGENT, ""),
    )
    try:
        return await attach(), given
    except Unavailable:
        _must_be_ours(folder, opened)
    request = Request(resume=True, operator=operator, answers=answers_file, headless=headless, signing=signing)
    try:
        return await _run(folder, request, environ), given
    except Problem as problem:
        try:  # somebody else may have taken it up at the same moment
            return await attach(), given
        except Unavailable:
            raise problem from None


def _must_be_ours(folder: Path, opened: SessionOpened) -> None:
    """Raises Problem: nobody but its owner writes on in a journal, not even a colleague of the group."""
    owner = folder.lstat().st_uid
    if owner != os.geteuid():
        raise Problem(
            f"{folder.name} belongs to {account_of(owner)}, and no runner is at work on it.",
            advice=f"Only that account can take it up: gonogo resume {folder.name}. If nobody can, begin a new session "
            f"with `gonogo run {opened.environment}`: it names the head of this one, and looks at the database.",
        )


def _first(folder: Path) -> SessionOpened:
    """The first record of a session. Raises Problem."""
    first = next((record.event for record in read(folder / NAME)), None)
    if not isinstance(first, SessionOpened):
        raise Problem(f"{folder} holds no record.", advice="Nothing was run from it. Begin a new session.")
    return first


def _may_go_on_headless(opened: SessionOpened, folder: Path, by: By) -> None:
    """Raises Misuse for a protected environment, however it was begun, and for a session that is to pause."""
    if pauses(opened.runbook):
        raise Misuse(NOBODY_TO_ASK, advice=f"Run `gonogo resume {opened.session}` on a terminal.")
    if any(one.document.approver.casefold() == by.name.casefold() for one in read_kept(folder)):
        raise Misuse(f"{by.name} approved this plan: somebody else runs it.", advice="Or watch it on a terminal.")
    if opened.protected and opened.mode == "walk" and not _has_approvals(folder):
        raise Misuse(
            f"{opened.environment} is protected: it does not run unattended without an approved plan.",
            advice=f"Run `gonogo resume {opened.session}` on a terminal.",
        )


def _has_approvals(folder: Path) -> bool:
    """Whether its plan stands on approvals; before there is one, whether any are given that the opening will judge."""
    made = (record.event for record in read(folder / NAME) if isinstance(record.event, PlanMade))
    plan = next(made, None)
    return bool(kept(folder)) if plan is None else plan.approval is not None


async def _run(folder: Path, request: Request, environ: Mapping[str, str]) -> Client:
    await start_runner(folder, request=request.model_dump_json().encode(), environ=environ)
    return await Client.attach(folder, sort="headless" if request.headless else "screen", by=request.operator)
