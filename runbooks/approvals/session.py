"""Approvals in a session: held against its plan at the opening, used up before the first step that does anything."""

import asyncio
import contextlib
from datetime import UTC, datetime
from secrets import token_hex

from pydantic import JsonValue

from migrations.own import spent
from migrations.own.spent import Use
from migrations.server_clock import server_time
from runbooks.approvals.approval_document import SUFFIX
from runbooks.approvals.emergency import tell
from runbooks.approvals.gate import Case, accepted, approval_words, enough, needed
from runbooks.approvals.kept import keep_signers, kept, read_kept
from runbooks.approvals.plan_document import moment
from runbooks.approvals.signers import Source, read_signers
from runbooks.journal import NAME
from runbooks.planning.identity import Stop
from runbooks.planning.planning import covered_by
from runbooks.running.execution import StepRun
from runbooks.running.recorder import Recorder
from runbooks.session import events as e
from runbooks.settings.setting import Setting
from runbooks.signing import Signer
from runbooks.signing.judged import first_signed, judge
from runbooks.signing.record import Unsigned, said_by

SIGNING_SECONDS = 35.0


class SessionApprovals:
    """Those of one session."""

    def __init__(self, recorder: Recorder, setting: Setting) -> None:
        self._recorder = recorder
        self._setting = setting

    async def accepted(self, run: StepRun, plan: e.PlanMade) -> e.PlanMade:
        """The plan, with the approvals that it stands on. Raises Stop, Misuse, Problem, Unavailable."""
        opened = self._recorder.view.opened
        need = needed(self._setting.environment, plan)
        if opened is None:
            return plan
        if opened.emergency is not None:
            await tell(run, self._setting, plan, opened.emergency)
            return plan
        given = await asyncio.to_thread(read_kept, self._setting.folder)
        if not given and not need:
            return plan
        enough(given, need)
        setting = self._setting
        source = await asyncio.to_thread(read_signers, setting.project, setting.environment, setting.environ)
        case = await self._case(run, opened, plan, source)
        approval = await asyncio.to_thread(accepted, given, case, source, need, self._setting.environ)
        await self._not_spent(run, approval)
        await self._keep(run, source)
        words = "; ".join(approval_words(approval))
        run.check("approvals", "Approved by a second engineer", "ok", f"{words}; signers: {approval.signers}")
        return plan.model_copy(update={"approval": approval})

    async def _case(self, run: StepRun, opened: e.SessionOpened, plan: e.PlanMade, source: Source) -> Case:
        setting = self._setting
        async with run.connect("read") as connection:
            now = await server_time(connection)
        return Case(
            project=setting.project.name,
            environment=setting.environment.name,
            ticket=opened.ticket,
            covers=covered_by(
                setting.project,
                setting.runbook,
                plan.scripts,
                (plan.target.system_identifier, plan.target.database),
                plan.runner,
            ),
            operator=opened.operator,
            signer=await self._signer(opened, source),
            now=now,
            answers=opened.answers,
        )

    async def _signer(self, opened: e.SessionOpened, source: Source) -> Signer | None:
        """Who signed the first record: that goes on beside the opening. Raises Stop where it did not come to pass."""
        found = await self._proven(opened, source)
        if found is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SIGNING_SECONDS):
                    view = await self._recorder.until(lambda view: bool(view.step(e.SIGNING).progress))
                self._was_signed(view.step(e.SIGNING).progress)
            found = await self._proven(opened, source)
        return found

    async def _proven(self, opened: e.SessionOpened, source: Source) -> Signer | None:
        journal = self._setting.folder / NAME
        judged = await asyncio.to_thread(judge, journal, source.signers, self._setting.environ)
        first = first_signed(judged)
        if first is not None and not first.principal:
            raise Stop(
                f"The session was signed by the key {first.key}, which {source.signers.shown} does not name.",
                advice=f"Sign with the key that stands there under {opened.operator.name}.",
            )
        return Signer(first.principal, first.key) if first else None

    def _was_signed(self, data: object) -> None:
        said = said_by(e.StepProgress(step=e.SIGNING, attempt=1, data=dict(data)))  # type: ignore[call-overload]
        if isinstance(said, Unsigned):
            raise Stop(f"The session could not be signed: {said.reason}", advice="See to your key, then begin again.")

    async def _not_spent(self, run: StepRun, approval: e.Approval) -> None:
        async with run.connect("read") as connection:
            await spent.may(connection)
            before = await spent.spent(connection, approval.number)
        if before is not None and before.session != self._setting.folder.name:
            raise Stop(f"The approval was {before.words}: it holds once.", advice=spent.ANEW)

    async def _keep(self, run: StepRun, source: Source) -> None:
        """Name the files in the journal: whoever reads it later can check them again."""
        folder = self._setting.folder
        for path in kept(folder):
            await run.keep("approval", path)
            await run.keep("approval's signature", path.with_name(path.name + SUFFIX))
        await run.keep("signers", await asyncio.to_thread(keep_signers, folder, source.signers.text))

    async def spend(self, run: StepRun) -> None:
        """Use the approval up in the target, once in a session. Raises Problem or Unavailable."""
        plan, opened = self._recorder.view.plan, self._recorder.view.opened
        approval = plan.approval if plan else None
        before = self._recorder.noted(e.APPROVALS)
        if plan is None or opened is None or approval is None or any("spent" in noted for noted in before):
            return
        expires, mark = moment(approval.expires_at), token_hex(16)
        self._note(label="the approval is about to be used up", mark=mark)
        use = Use(
            number=approval.number,
            session=self._setting.folder.name,
            operator=opened.operator.name,
            ticket=opened.ticket,
            plan=plan.hash,
            approvers=", ".join(one.principal for one in approval.approvers),
            mark=mark,
        )
        marks = {str(noted.get("mark")) for noted in before}
        async with run.connect("ledger") as connection:
            await spent.spend(connection, use, expires or datetime.min.replace(tzinfo=UTC), marks)
        self._note(label="the approval is used up", spent=approval.number)

    def _note(self, **data: JsonValue) -> None:
        self._recorder.append(e.StepProgress(step=e.APPROVALS, attempt=1, data={**data, "recorded": True}), sync=True)
