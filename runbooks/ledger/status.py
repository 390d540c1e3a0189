"""Where a target stands against the migrations folder: what `gonogo status` tells."""

from collections.abc import Mapping

from migrations.doctor import State
from migrations.doctor.state import Severity, StateName
from migrations.plan import compare
from migrations.target import Pinned
from runbooks.ledger.examined import Examined, examine_alone
from runbooks.planning.identity import Stop, judge
from runbooks.session.frozen import Frozen
from runbooks.settings.project import Environment, Project


class WayOut(Frozen):
    """Steps, to be taken in this order; `when` says for whom this way is."""

    when: str
    steps: tuple[str, ...]


class Anomaly(Frozen):
    """What the ledger's doctor says; see migrations.doctor."""

    name: StateName
    code: str
    severity: Severity
    what: str
    cause: str
    ways: tuple[WayOut, ...]
    migrations: tuple[str, ...]
    details: tuple[str, ...]


class ByHand(Frozen):
    """Something in the ledger that gonogo has not written."""

    migration: str
    what: str


class Status(Frozen):
    """Names, each list in its own order. `first_run`: the database has no ledger yet.

    `another`: why this is not the environment's database, by fingerprint or mark; empty where nothing says so.
    """

    environment: str
    address: str
    fingerprint: str
    first_run: bool
    pending: tuple[str, ...]
    applied: tuple[str, ...]
    failed: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    without_script: tuple[str, ...]
    anomalies: tuple[Anomaly, ...] = ()
    history: tuple[ByHand, ...] = ()
    another: str = ""

    @property
    def clean(self) -> bool:
        """Nothing pending and nothing wrong."""
        return not self.pending and not self.another and all(anomaly.severity == "note" for anomaly in self.anomalies)


async def status_of(project: Project, environment: Environment, environ: Mapping[str, str]) -> Status:
    """Read the folder and the ledger. Raises Misuse, Unavailable or Problem."""
    target, found, mark = await examine_alone(project, environment, environ, name="gonogo status")
    status = status_from(found, target, environment)
    return status.model_copy(update={"another": _another(project, environment, target, mark)})


def status_from(found: Examined, target: Pinned, environment: Environment) -> Status:
    """The status that an examination gives."""
    assert target.pin is not None
    rows = tuple(row.applied for row in found.facts.rows or ())
    plan = compare(found.facts.folder or (), rows)
    return Status(
        environment=environment.name,
        address=target.url.shown,
        fingerprint=f"{target.pin.system_identifier}/{target.pin.database}",
        first_run=found.facts.rows is None,
        pending=tuple(m.name for m in plan.pending),
        applied=plan.applied,
        failed=plan.failed,
        changed=plan.changed,
        missing=plan.missing if found.facts.folder is not None else (),
        without_script=plan.without_script,
        anomalies=tuple(anomaly_of(state) for state in found.states),
        history=tuple(ByHand(migration=edit.migration, what=edit.what) for edit in found.history),
    )


def _another(project: Project, environment: Environment, target: Pinned, mark: str | None) -> str:
    assert target.pin is not None
    try:
        judge(project, environment, target.pin, mark)
    except Stop as stop:
        return str(stop)
    return ""


def anomaly_of(state: State) -> Anomaly:
    """A state, to be written and sent."""
    return Anomaly(
        name=state.name,
        code=state.code,
        severity=state.severity,
        what=state.what,
        cause=state.cause,
        ways=tuple(WayOut(when=way.when, steps=way.steps) for way in state.ways),
        migrations=state.migrations,
        details=state.details,
    )
