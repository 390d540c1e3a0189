"""A session that applies scripts by its step, in memory, over a real database."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from migrations.sql import Way, execution_model, read_script
from runbooks.session import events as e
from runbooks.session.runbook import Step
from runbooks.steps import catalogue
from runbooks.steps.base import Doubt, Settled
from tests.runbooks.steps_context import SHA, StepContext

APPLY = "migrations.apply"


class Session(StepContext):
    """A session whose plan holds the scripts, reviewed and kept, and also on disk in the project."""

    def __init__(
        self,
        url: str,
        folder: Path,
        scripts: dict[str, str],
        *,
        held_back: tuple[str, ...] = (),
        way: Way = "safe",
    ) -> None:
        super().__init__(url, folder)
        self.url = url
        (self.folder / "scripts").mkdir()
        planned = []
        for name, text in scripts.items():
            place = self.project.migrations / name
            place.mkdir(parents=True)
            (place / "migration.sql").write_text(text)
            if name not in held_back:
                planned.append(_script(name, text, way))
                (self.folder / "scripts" / f"{planned[-1].sha256}.sql").write_text(text)
        target = e.Target(
            address="x",
            system_identifier="1",
            database="d",
            oid="1",
            in_recovery=False,
            postmaster_start="",
            timeline="",
            server_version="",
        )
        self.events.append(
            e.PlanMade(hash=SHA, target=target, protected=False, scripts=tuple(planned), held_back=held_back)
        )

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            cur = conn.execute(text.encode())
            return cur.fetchall() if cur.description else []

    def rows(self) -> list[tuple[str, str]]:
        """The ledger: name, state."""
        return self.query(
            "SELECT migration_name, CASE WHEN rolled_back_at IS NOT NULL THEN 'rolled back' "
            "WHEN finished_at IS NULL THEN 'failed' ELSE 'applied' END FROM _prisma_migrations ORDER BY started_at"
        )

    async def reconcile(self, **params: Any) -> Settled | Doubt | None:
        """What the step says of its latest attempt, after the runner died."""
        kind = catalogue()[APPLY]
        self.step = Step(id="migrations-apply", title="", uses=APPLY, effect="target")
        start = e.StepStarted(step=self.step.id, attempt=1, title="", uses=APPLY, effect="target", why="resume")
        assert kind.reconcile is not None
        return await kind.reconcile(self, kind.params.model_validate(params), start)

    def forget(self, event: str) -> None:
        """Cut the records off before the last one of this sort, as a kill at that moment would."""
        at = max(i for i, (_, record) in enumerate(self.recorded) if record["event"] == event)
        del self.recorded[at:]


def _script(name: str, text: str, way: Way) -> e.Script:
    script = read_script(text)
    return e.Script(
        migration=name,
        sha256=sha256(text.encode()).hexdigest(),
        size=len(text),
        model=execution_model(script, way).kind,
        statements=tuple(
            e.Statement(line=s.line, start=s.start, end=s.end, summary=s.summary) for s in script.statements
        ),
    )
