"""What a run would send, in order, without a session and without a change to the target."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from migrations import ledger
from migrations.apply import ApplyRun, apply, prepare
from migrations.apply import events as e
from migrations.apply.paper import APPLICATION, PaperTarget, PaperWire
from migrations.apply.script_run import ScriptToRun
from migrations.folder import Migration, read_folder
from migrations.own.register import Who
from migrations.plan import compare
from migrations.problem import Misuse, Problem
from migrations.target import Pinned, environment_mark
from runbooks.document import read_runbook
from runbooks.document.chosen import runbook_text
from runbooks.planning.identity import judge
from runbooks.planning.narrowed import Narrowing, check_narrowing, narrowed
from runbooks.planning.planning import APPLY, engine_of
from runbooks.redact import Redactor
from runbooks.redact.scripts import Hiding
from runbooks.session.references import check_values, resolve_values
from runbooks.session.runbook import Runbook
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import read_urls, secrets, target_of
from runbooks.steps import catalogue
from runbooks.steps.migrations_apply import Params
from runbooks.steps.parts.apply_teller import HOW
from runbooks.steps.parts.native_engine import timeouts_of

SOMEBODY = Who("«session»", "«operator»", "«host»", "«ticket»", "«plan»")
FOR_LATER = "-- What is sent after a reply (SHOW, a retry) is as if all went well. Ids and times are made at the run."

Show = Callable[[str], None]


async def dry_run(
    project: Project, environment: Environment, environ: Mapping[str, str], narrowing: Narrowing, show: Show
) -> None:
    """Give `show` all that would be sent, without secrets. Raises Misuse, Problem or Unavailable."""
    redactor = Redactor(secrets(project, environ))
    runbook = _runbook(project, environment, narrowing)
    params = _params(runbook, environment)
    target = target_of(environment, read_urls(environment, environ))
    pending = await _pending(project, environment, target, params.to)
    scripts = [await _prepared(migration, params, Hiding(project, redactor)) for migration in pending]
    redactor.learn((name, value) for script in scripts for value, name in script.veil.given.items())
    sheet = _Sheet(lambda text: show(redactor.text(_told(text, scripts))), scripts)
    sheet.say(f"-- {environment.name}: {target.url.shown}")
    if not scripts:
        return sheet.say("-- nothing to apply")
    sheet.say(FOR_LATER)
    await apply(
        ApplyRun(
            target=PaperTarget(target, sheet.write),
            session=APPLICATION,
            application_name=APPLICATION,
            scripts=tuple(scripts),
            on=sheet.tell,
            timeouts=timeouts_of(params),
            register=SOMEBODY if environment.register else None,
            wire=PaperWire,
        )
    )


def _runbook(project: Project, environment: Environment, narrowing: Narrowing) -> Runbook:
    name, text = runbook_text(project, environment)
    runbook = read_runbook(text, name=name, catalogue=catalogue())
    check_values(runbook, environment.name, environment.values)
    names = [migration.name for migration in read_folder(project.migrations)]
    check_narrowing(runbook, names, narrowing)
    if engine_of(runbook) != "native":
        raise Misuse("What Prisma's own command sends is not known before.", advice="Leave --dry-run away.")
    return narrowed(runbook, catalogue(), narrowing)


def _params(runbook: Runbook, environment: Environment) -> Params:
    """Of the first step that applies. Raises Misuse for what only an earlier step would tell."""
    step = next((step for step in runbook.steps() if step.uses == APPLY), None)
    if step is None:
        raise Misuse("This runbook applies no migrations.", advice="Leave --dry-run away.")
    try:
        return Params.model_validate(resolve_values(step.params, environment.values))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misuse(f"{step.id}: {where}: {first['msg']}.", advice="Correct the runbook.") from None


async def _pending(project: Project, environment: Environment, target: Pinned, to: str | None) -> tuple[Migration, ...]:
    folder = await asyncio.to_thread(read_folder, project.migrations)
    connection = await target.open("read", application_name=APPLICATION)
    try:
        assert target.pin is not None
        judge(project, environment, target.pin, await environment_mark(connection))
        rows = await ledger.read(connection, target.url.schema)
    finally:
        await connection.close()
    return compare(folder, rows or (), to=to).pending


def _told(text: str, scripts: Sequence[ScriptToRun]) -> str:
    """A text that would be sent, as it may be shown."""
    for script in scripts:
        for statement, told in zip(script.statements, script.told, strict=True):
            if told.text != statement.text:
                text = text.replace(statement.text, told.text)
    return text


async def _prepared(migration: Migration, params: Params, hide: Hiding) -> ScriptToRun:
    if migration.problem:
        raise Problem(f"{migration.name} cannot be applied: {migration.problem}.", advice="Mend the file.")
    return await prepare(migration.name, migration.text, migration.checksum, params.model, hide)


class _Sheet:
    """Puts a comment before what goes over another connection, and before each script."""

    def __init__(self, show: Show, scripts: Sequence[ScriptToRun]) -> None:
        self._show = show
        self._names = [script.name for script in scripts]
        self._purpose = ""

    def say(self, text: str) -> None:
        """Show a line."""
        self._show(text)

    def write(self, purpose: str, text: str) -> None:
        """Show what would be sent on a connection."""
        if purpose != self._purpose:
            self._purpose = purpose
            self._show(f"\n-- on the connection {purpose}")
        self._show(text)

    async def tell(self, event: e.ApplyEvent) -> None:
        """Show where a script begins, and what there is to say of it."""
        if isinstance(event, e.ScriptStarted):
            self._purpose = ""
            place = f"{self._names.index(event.name) + 1} of {len(self._names)}"
            self._show(f"\n-- {place}  {event.name}: {HOW.get(event.model, event.model)}")
        elif isinstance(event, e.Notice):
            self._show(f"-- {event.severity}: {event.text}")
