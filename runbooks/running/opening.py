"""The opening: what would be bitter to find out after a two-hour dump. Read-only, ten seconds at most."""

import asyncio
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psycopg

from migrations import activity
from migrations.anchoring import clock_ahead
from migrations.apply import STRINGS, strings_in_doubt
from migrations.backup.restore_point import archiving
from migrations.backup.tools import tools
from migrations.ledger import lock as ledger_lock
from migrations.listed import listed, many
from migrations.own import register
from migrations.problem import Problem, Unavailable
from migrations.restore import in_the_way
from migrations.restore.in_place import look
from migrations.sql import cut_in_doubt
from migrations.target import Connection, Fingerprint, Pooling, Url, environment_mark, pooling, privileges
from migrations.target.connecting import told
from migrations.target.presence import Presence
from runbooks.approvals.session import SessionApprovals
from runbooks.document.age import overdue
from runbooks.forbidden import check_commands
from runbooks.history.left_open import left_open
from runbooks.history.sessions import dumps_folder
from runbooks.host import logout, sharing
from runbooks.host.sharing import circle_of
from runbooks.library import shipped
from runbooks.planning.allowed import judge_conditions
from runbooks.planning.identity import Stop, judge
from runbooks.planning.plan_reader import PlanReader
from runbooks.planning.planning import engine_of
from runbooks.running.execution import StepRun
from runbooks.running.recorder import Recorder
from runbooks.running.staging_first import staging_first
from runbooks.running.window import window_told
from runbooks.session.events import Runner
from runbooks.settings.project import Environment
from runbooks.settings.setting import Setting
from runbooks.steps.parts.prisma_engine import command_of, find_prisma, prisma_environment

SECONDS = 10.0
MOST_FOLLOW_UPS = 5
READING = ("backup.dump", "backup.read", "backup.proof", "backup.restore_test")
"""Steps that call pg_dump or pg_restore."""

Verdict = tuple[Literal["no_go", "unavailable"], int, str]


class Opening:
    """Runs once at the start of a session, and again when a session is resumed that never got past it."""

    def __init__(
        self, run: StepRun, recorder: Recorder, setting: Setting, plans: PlanReader, presence: Presence
    ) -> None:
        self._run = run
        self._recorder = recorder
        self._setting = setting
        self._plans = plans
        self._presence = presence
        self._approvals = SessionApprovals(recorder, setting)
        self._strings_conform = True

    async def run(self) -> Verdict | None:
        """None when everything is in order and the plan is made; else how the session ends."""
        try:
            async with asyncio.timeout(SECONDS):
                await self._look()
            plan = await self._plans.make(self._recorder.view, await self._prisma())
            self._run.check("ledger", "Folder and ledger", "ok", "both can be read")
            self._strings()
            if self._walks:
                judge_conditions(self._setting.environment, plan)
                await self._staging_first()
                await self._left_open()
                plan = await self._approvals.accepted(self._run, plan)
            if plan.protected and self._changes:
                await asyncio.to_thread(self._commands)
                await self._typed_name()
            self._recorder.append(plan)
        except TimeoutError:
            return self._fail("in-time", "Ten seconds", Unavailable(f"The opening took over {SECONDS:.0f} s."))
        except Problem as problem:
            return self._fail("reached", "Everything is in reach", problem)
        except psycopg.Error as error:
            refused = told(error, lost=error.sqlstate is None, where=self._setting.direct.shown)
            return self._fail("reached", "Everything is in reach", refused)
        return None

    @property
    def _changes(self) -> bool:
        opened = self._recorder.view.opened
        return opened is not None and opened.mode != "backup"

    @property
    def _walks(self) -> bool:
        opened = self._recorder.view.opened
        return opened is not None and opened.mode == "walk"

    async def _look(self) -> None:
        self._addresses()
        host = await logout.look(self._setting.folder, self._setting.environ)
        if (circle := circle_of(self._setting.project)) is not None:
            self._run.check("group", "Who else may watch, and take the pen", *sharing.told(circle))
        self._age()
        self._not_undone()
        self._run.check("stays", "Goes on when you log out", *logout.told(host))
        async with self._run.connect("read") as connection:
            pin = self._setting.target.pin
            assert pin is not None
            self._identity(pin, await environment_mark(connection))
            self._strings_conform = connection.info.parameter_status(STRINGS) == "on"
            allowed = await privileges(connection)
            role = "superuser" if allowed.superuser else "ordinary role"
            self._run.check("role", "Role", "ok", f"{allowed.role}, {role}")
            await self._lock(connection)
            await self._window(connection)
            if self._setting.environment.register and self._changes:
                self._run.check("register", "Register in the target", "ok", await register.may(connection))
            if self._has("restore.side"):
                await self._way_back(connection)
            if self._has("restore.replace"):
                await self._in_place(connection)
            if self._has("backup.restore_point"):
                await self._restore_point(connection)
            size, tables = await activity.sizes(connection)
        await self._pooling()
        if self._has(*READING):
            await self._tools(pin.server_major)
        if self._has("backup.dump"):
            self._disk(size, tables)
        if self._changes:
            await self._presence.hold(self._run.application_name)
            self._run.check("alone", "One session at a time", "ok", "nobody else works on this database")

    def _strings(self) -> None:
        """Raises Problem where the server would read backslashes in a script otherwise than the review did."""
        read = self._plans.analysed
        in_doubt = [one.migration.name for one in read if cut_in_doubt(one.script.statements, one.model.pieces)]
        if in_doubt and not self._strings_conform and engine_of(self._setting.runbook) == "native":
            raise strings_in_doubt(in_doubt)

    async def _left_open(self) -> None:
        """What earlier sessions here left to be done: it may be what this one is for, or stand in its way."""
        project, environment = self._setting.project.name, self._setting.environment.name
        open_ones = await asyncio.to_thread(left_open, self._setting.folder.parent, project, environment)
        if not open_ones:
            return
        today = datetime.now(UTC).date()
        late = sum(one.overdue(today) for _, one in open_ones)
        told = listed([f"{one.words}, of {session}" for session, one in open_ones], MOST_FOLLOW_UPS)
        count = f"{len(open_ones)} open" + (f", {late} overdue" if late else "")
        advice = "What is done is ticked off: gonogo follow-ups done SESSION ID NOTE" if late else ""
        outcome: Literal["ok", "warn"] = "warn" if late else "ok"
        self._run.check("follow-ups", "Follow-ups of earlier sessions", outcome, f"{count}: {told}", advice)

    def _commands(self) -> None:
        """Raises DocumentError. What a run block calls is no part of the document, and may be another by now."""
        setting = self._setting
        check_commands(setting.runbook, setting.runbook.name, setting.project.folder, setting.environment.values)

    def _addresses(self) -> None:
        for variable, url in self._setting.urls.items():
            ignored = f"; without effect here: {', '.join(url.ignored)}" if url.ignored else ""
            self._run.check(f"url-{variable.lower().replace('_', '-')}", variable, "ok", url.shown + ignored)

    def _not_undone(self) -> None:
        """What an earlier session on this environment switched on, and none has undone since."""
        opened = self._recorder.view.opened
        for one in opened.previous.left_open if opened is not None and opened.previous is not None else ():
            when = f"{one.at[:16].replace('T', ' ')} UTC in {one.session}"
            words = f"{one.title}, {when}: {one.undo_title} was not seen since"
            advice = "Find out whether it is still so. That session's record says why it was left."
            self._run.check(f"left-{one.step}", "Left open before", "warn", words, advice)

    def _age(self) -> None:
        """Whether the team has read its runbook lately. One that ships is gonogo's to read."""
        own = self._setting.environment.runbook not in (None, *shipped())
        if own and (words := overdue(self._setting.runbook, datetime.now(UTC).date())):
            advice = "Read it, put right what is not so any more, and write today's date as `reviewed`."
            self._run.check("runbook", "The runbook was reviewed", "warn", words, advice)

    def _identity(self, pin: Fingerprint, mark: str | None) -> None:
        environment = self._setting.environment
        judge(self._setting.project, environment, pin, mark)
        if pin.in_recovery:
            raise Stop("The server is a standby: it takes no writes.", advice="Give the primary's address.")
        found = f"{pin.system_identifier}/{pin.database}"
        known = "as gonogo.toml says" if environment.fingerprint else f'not pinned yet: fingerprint = "{found}"'
        marked = f"; marked as {mark}" if mark else ""
        self._run.check("fingerprint", "Fingerprint", "ok", f"{found}, {known}{marked}")
        self._run.check("server", "Server", "ok", f"PostgreSQL {pin.server_version}, primary, timeline {pin.timeline}")

    async def _lock(self, connection: Connection) -> None:
        """Who holds the lock that Prisma and we apply scripts under. It may be free again by Migrate, so: amber."""
        others = [holder for holder in await ledger_lock.holders(connection) if holder.granted]
        if not others:
            self._run.check("lock", "Prisma's lock", "ok", "free")
            return
        advice = f"Another migration runs, or hangs. If its program is gone: {others[0].end_sql}"
        self._run.check("lock", "Prisma's lock", "warn", f"held by {others[0].words}", advice)

    async def _staging_first(self) -> None:
        opened = self._recorder.view.opened
        pending = [one.migration for one in self._plans.analysed]
        await staging_first(self._run, pending, emergency=bool(opened and opened.emergency))

    async def _window(self, connection: Connection) -> None:
        """Whether it is open now matters at Preflight's hold point: here it is told."""
        view = self._recorder.view
        if view.opened is None or not view.opened.windows:
            return
        self._recorder.append(told := window_told(view, "opening", *await clock_ahead(connection)))
        self._run.check("window", "Maintenance window", "ok" if told.data["open"] else "warn", str(told.data["label"]))

    async def _way_back(self, connection: Connection) -> None:
        found = await in_the_way(connection)
        advice = "Without it the way back through a side database is shut: let an administrator see to it first."
        outcome: Literal["ok", "warn"] = "warn" if found else "ok"
        words = " ".join(found) or "nothing stands in its way"
        self._run.check("restore", "A restore, if it came to that", outcome, words, advice if found else "")

    async def _restore_point(self, connection: Connection) -> None:
        there = await archiving(connection)
        what, advice = there.obstacle or there.doubt or (f"{there.role} may make one; {there.words}", "")
        self._run.check("restore-point", "A restore point", "warn" if advice else "ok", what, advice)

    async def _in_place(self, connection: Connection) -> None:
        try:
            present = await look(connection)
        except Problem as problem:
            self._run.check("replace", "A restore in place, if it came to that", "warn", problem.what, problem.advice)
        else:
            words = f"{many(len(present.drops), 'thing that is', 'things that are')} there could be replaced"
            self._run.check("replace", "A restore in place, if it came to that", "ok", words)

    async def _pooling(self) -> None:
        kind = await pooling(self._setting.direct)
        judge_pooling(kind, self._setting.direct, self._setting.environment)
        self._run.check("direct", "Direct connection", "ok", "direct" if kind == "direct" else "a session pooler")

    def _has(self, *uses: str) -> bool:
        return any(step.uses in uses for step in self._setting.runbook.steps())

    async def _tools(self, major: int) -> None:
        found = await tools(major, bin=None, env=self._run.child_environment())
        self._run.check("tools", "pg_dump and pg_restore", "ok", f"version {found.version}")

    async def _prisma(self) -> Runner | None:
        """The team's own command, where the runbook applies by it."""
        env = self._run.child_environment()
        runner, way = await runner_of(self._setting, env, self._run.session) if self._changes else (None, "")
        if runner is not None:
            self._run.check("prisma", "Prisma's own command", "ok", f"{runner.words}; it {way}")
        return runner

    def _disk(self, size: int, tables: int) -> None:
        """Where dumps go; where those are several places, by the one with the least room."""
        given = (step.params.get("folder") for step in self._setting.runbook.steps() if step.uses == "backup.dump")
        usual = dumps_folder(self._setting.project, self._setting.environ)
        places = {self._setting.project.folder / Path(str(one)).expanduser() if one else usual for one in given}
        free, folder = min((shutil.disk_usage(_existing(place)).free, place) for place in places)
        has = f"{size // 2**20} MiB in {many(tables, 'table')}"
        words = f"{free // 2**20} MiB free in {folder}; the database has {has}"
        if free > size:
            self._run.check("disk", "Disk for the dump", "ok", words)
        else:
            advice = "A dump is often smaller than its database, but not surely: make room first."
            self._run.check("disk", "Disk for the dump", "warn", words, advice)

    async def _typed_name(self) -> None:
        name = self._setting.environment.name
        shown = self._setting.direct.shown
        await self._run.ask("environment", f"{shown} is protected. Type the environment's name: {name}", exact=name)

    def _fail(self, id: str, title: str, problem: Problem) -> Verdict:
        self._run.check(id, title, "fail", problem.what, problem.advice)
        if isinstance(problem, Unavailable):
            return ("unavailable", 3, str(problem))
        return ("no_go", problem.exit_code, str(problem))


def judge_pooling(kind: Pooling, url: Url, environment: Environment) -> None:
    """Raises Stop for a pooler that does not keep sessions, or may not."""
    advice = "Set direct_url in gonogo.toml to the name of a variable that holds the server's own address."
    if kind == "transaction":
        raise Stop(f"{url.variable} leads through a transaction pooler.", advice=advice)
    if kind == "session" and environment.pooler != "session":
        raise Stop(
            f"{url.variable} leads through a pooler, and its mode cannot be proven.",
            advice=f'{advice} If it is in session mode, say pooler = "session" there.',
        )


async def runner_of(setting: Setting, env: Mapping[str, str], session: str) -> tuple[Runner | None, str]:
    """The team's own command, where the runbook applies by it, and how it sends a script. Raises Problem."""
    wanted, command = command_of(setting.runbook)
    if not wanted:
        return None, ""
    quiet = prisma_environment(env, setting.environment, session)
    _, version, runner = await find_prisma(setting.project, quiet, command)
    return runner, version.words


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.exists())
