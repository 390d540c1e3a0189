"""Reads the world into a plan: the folder, the ledger and the target, as they are now."""

import asyncio
import re
from collections.abc import Collection, Sequence
from importlib.metadata import version

import psycopg

from migrations import ledger
from migrations.folder import BESIDE, Migration, read_folder, with_reverse
from migrations.impact.known import Known
from migrations.plan import Applied, Plan, compare
from migrations.problem import Misuse, Unavailable
from migrations.sql import read_script
from migrations.target import Fingerprint, environment_mark
from migrations.target.connecting import told
from runbooks.planning.identity import judge_mark
from runbooks.planning.one_script import given, keep_copies, known_of
from runbooks.planning.planning import Analysed, analyse, make_plan, plan_hash, way_of
from runbooks.redact import Redactor
from runbooks.redact.scripts import Hiding
from runbooks.session import events as e
from runbooks.session import moved
from runbooks.session.events import PlanMade, Runner, Target
from runbooks.session.view import RunView
from runbooks.settings.setting import Setting
from runbooks.steps.parts.kept_scripts import copy_of

SECONDS = 10.0


class PlanReader:
    """Makes the plan of a session, and later says what has become different."""

    def __init__(self, setting: Setting, redactor: Redactor | None = None) -> None:
        self._setting = setting
        self._redactor = redactor or Redactor({})
        self._hide = Hiding(setting.project, self._redactor)
        self._read: dict[tuple[str | None, ...], Analysed] = {}

    @property
    def analysed(self) -> tuple[Analysed, ...]:
        """The pending scripts, as far as this process has read and judged them."""
        return tuple(self._read.values())

    async def make(self, view: RunView, runner: Runner | None = None) -> PlanMade:
        """Read everything again. Scripts are kept by their bytes in `scripts/`, for review and execution.

        `runner` is what applies them, where gonogo does not. Raises Problem or Unavailable.
        """
        pending, rows, mark = await self._pending(view)
        read = await asyncio.to_thread(self._analysed, pending.pending, runner)
        self._redactor.learn(given(read))
        known = await known_of(self._setting.target, read)
        made = await asyncio.to_thread(self._made, pending, rows, mark, read, known, runner)
        await asyncio.to_thread(keep_copies, self._setting.folder, read)
        return made.model_copy(update={"applied": _applied(rows or ())})

    async def _pending(self, view: RunView) -> tuple[Plan, tuple[Applied, ...] | None, str | None]:
        """What is pending, the ledger's rows, and the database's mark."""
        setting = self._setting
        folder = await asyncio.to_thread(read_folder, setting.project.migrations)
        try:
            async with asyncio.timeout(SECONDS):
                rows, mark = await self._ledger()
        except TimeoutError:
            raise Unavailable(
                f"The ledger could not be read within {SECONDS:.0f} s.", advice="Look for who has locked it."
            ) from None
        assert setting.target.pin is not None
        judge_mark(setting.project, setting.environment, setting.target.pin, mark)
        return compare(folder, _not_ours(rows or (), view), to=setting.migrate_to), rows, mark

    def _analysed(self, migrations: Sequence[Migration], runner: Runner | None) -> list[Analysed]:
        """The scripts, read and judged, each once in the life of this process."""
        before, self._read = self._read, {}
        way = way_of(self._setting.runbook, runner)
        for migration in migrations:
            key = (migration.name, migration.checksum, *migration.beside, migration.problem)
            self._read[key] = before.get(key) or analyse(migration, self._setting.project.review.also, way, self._hide)
        return list(self.analysed)

    def _made(
        self,
        pending: Plan,
        rows: tuple[Applied, ...] | None,
        mark: str | None,
        read: Sequence[Analysed],
        known: Known | None,
        runner: Runner | None,
    ) -> PlanMade:
        setting = self._setting
        return make_plan(
            setting.project,
            setting.environment,
            setting.runbook,
            pending,
            self._target(),
            first_run=rows is None,
            mark=mark,
            read=read,
            known=known,
            runner=runner,
        )

    def _target(self) -> Target:
        return target_of(self._setting.target.pin, self._setting.direct.shown)

    async def _ledger(self) -> tuple[tuple[Applied, ...] | None, str | None]:
        connection = await self._setting.target.open("read", application_name="gonogo plan")
        try:
            rows = await ledger.read(connection, self._setting.direct.schema)
            return rows, await environment_mark(connection)
        except psycopg.Error as error:
            raise told(error, lost=connection.closed, where=self._setting.direct.shown) from None
        finally:
            await connection.close()

    async def differs(self, view: RunView) -> str | None:
        """Why the plan that was shown is not the plan any more, or None. Raises Problem or Unavailable."""
        pending, rows, mark = await self._pending(view)
        if self._is_told(pending.pending, view) and await asyncio.to_thread(self._are_kept, view):
            return None
        runner = view.plan.runner if view.plan else None
        read = await asyncio.to_thread(self._analysed, pending.pending, runner)
        self._redactor.learn(given(read))
        now = await asyncio.to_thread(self._made, pending, rows, mark, read, None, runner)
        await asyncio.to_thread(keep_copies, self._setting.folder, read)
        if view.plan is None or now.hash == view.plan.hash:
            return None
        return f"the plan is another one now: {_difference(view.plan, now)}"

    async def again(self, view: RunView) -> PlanMade | None:
        """The plan with the scripts that run blocks of Backup have written, where they may count without more ado.

        So they may in development: the target is not protected, and nobody has approved anything. None where nothing
        of that has changed. Raises Problem or Unavailable.
        """
        plan = view.plan
        if plan is None or view.protected or self._setting.environment.approvals or plan.approval:
            return None
        if not any(step.uses == "shell" and view.step(step.id).attempt for step in view.runbook.phases[0].steps):
            return None
        if await self.differs(view) is None:
            return None
        made = await self.make(view, plan.runner)
        if made.target.fingerprint != plan.target.fingerprint or _scripts(made) == _scripts(plan):
            return None
        return made

    def _is_told(self, migrations: Sequence[Migration], view: RunView) -> bool:
        """Whether what the plan tells of these scripts gives its hash: then there is nothing to analyse again.

        Another version of gonogo may judge them by other rules.
        """
        if view.plan is None or view.opened is None or view.opened.gonogo != version("gonogo"):
            return False
        if any(migration.problem for migration in migrations):
            return False
        told = {(script.migration, script.sha256, *_beside(script)): script for script in view.plan.scripts}
        scripts = [told[key] for m in migrations if (key := (m.name, m.checksum, *m.beside)) in told]
        if len(scripts) < len(migrations):
            return False
        setting, runner = self._setting, view.plan.runner
        return plan_hash(setting.project, setting.runbook, scripts, self._target(), runner) == view.plan.hash

    async def learn(self, view: RunView) -> None:
        """Take out of what is written from now on what an earlier process found in the scripts of the plan."""
        names = {s.migration for s in (view.plan.to_review if view.plan else ()) if s.copy_sha256}
        self._redactor.learn(await asyncio.to_thread(self._given_in, names) if names else ())

    def _given_in(self, names: Collection[str]) -> list[tuple[str, str]]:
        try:
            every = with_reverse(read_folder(self._setting.project.migrations))
        except Misuse:
            return []  # whoever needs the folder is told so
        scripts = (read_script(m.text) for m in every if m.name in names and m.data is not None)
        return [(name, value) for script in scripts for value, name in self._hide(script).given.items()]

    def _are_kept(self, view: RunView) -> bool:
        """Whether the session's folder has what was reviewed, byte for byte."""
        scripts = self._setting.folder / "scripts"
        for script in view.plan.to_review if view.plan else ():
            for wanted in (script, script.verify):
                if wanted is not None and wanted.sha256 and copy_of(scripts, wanted) is None:
                    return False
        return True


def _not_ours(rows: Sequence[Applied], view: RunView) -> list[Applied]:
    """Once scripts have started, what this session applied still counts as pending, with its reviewed checksum."""
    applying = [step for step in view.runbook.steps() if step.uses == "migrations.apply"]
    # Where gonogo applies nothing, as in development, the commands of Migrate do.
    applying = applying or [step for step in view.runbook.phases[2].steps if step.effect != "reads"]
    started = any(view.step(step.id).attempt for step in applying)
    if not started or view.plan is None:
        return list(rows)
    ours = {(script.migration, script.sha256) for script in view.plan.scripts}
    return [row for row in rows if (row.name, row.checksum) not in ours]


def _applied(rows: Sequence[Applied]) -> tuple[e.Applied, ...]:
    """What is in the ledger to stay, oldest first; the pending scripts are judged on their own."""
    done = {row.name: row for row in rows if not row.rolled_back and not row.failed}
    return tuple(e.Applied(migration=r.name, sha256=r.checksum, at=r.finished_at or "") for r in done.values())


def _scripts(plan: PlanMade) -> list[tuple[str, ...]]:
    return [(script.migration, script.sha256, *_beside(script)) for script in plan.scripts]


def _beside(script: e.Script) -> tuple[str, str, str]:
    """As `Migration.beside` has it."""
    back = script.rollback
    verify = script.verify.sha256 if script.verify else ""
    return verify, back.script.sha256 if back and back.script else "", back.text_sha256 if back else ""


def _difference(before: PlanMade, now: PlanMade) -> str:
    old = {s.migration: s for s in before.scripts}
    new = {s.migration: s for s in now.scripts}
    words = [
        *(f"{name} is no longer pending" for name in old if name not in new),
        *(f"{name} is pending now" for name in new if name not in old),
        *(f"{name} was edited" for name in old.keys() & new.keys() if old[name].sha256 != new[name].sha256),
        *(
            f"the {file} of {name} was edited"
            for name in old.keys() & new.keys()
            for file, was, now_is in zip(BESIDE, _beside(old[name]), _beside(new[name]), strict=True)
            if was != now_is
        ),
    ]
    if before.target.fingerprint != now.target.fingerprint:
        words.append(f"the target is {now.target.fingerprint}")
    return "; ".join(words) or "gonogo.toml, the rules or the runbook changed"


def target_of(pin: Fingerprint | None, shown: str) -> Target:
    """A fingerprint as the journal keeps it, with the address as people read it."""
    assert pin is not None
    return Target(
        address=shown,
        system_identifier=pin.system_identifier,
        database=pin.database,
        oid=pin.oid,
        in_recovery=pin.in_recovery,
        postmaster_start=pin.postmaster_start,
        timeline=pin.timeline,
        server_version=pin.server_version,
    )


def pin_of(view: RunView) -> Fingerprint | None:
    """What a resumed session is pinned to: the plan's target, or what it has restored, or moved to, since."""
    if (target := moved.target_of(view)) is None:
        return None
    return Fingerprint(
        system_identifier=target.system_identifier,
        database=target.database,
        oid=target.oid,
        in_recovery=target.in_recovery,
        postmaster_start=target.postmaster_start,
        timeline=target.timeline,
        server_version=target.server_version,
        server_major=major_of(target.server_version),
        address=target.address,
    )


def major_of(version: str) -> int:
    """The major version in a server's own words: `15.8 (Debian 15.8-1)`, `18beta1`."""
    found = re.match(r"\d+", version)
    return int(found[0]) if found else 0
