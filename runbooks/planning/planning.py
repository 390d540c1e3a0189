"""What is about to happen, as one event with one hash. Pure: everything is passed in.

The hash is the SHA-256 of the RFC 8785 bytes of an object with these members. `scripts`: for each pending script its
`name`, the `sha256` of its text, its `model` (how it is run), the SHA-256 of the bytes of its verify.sql as `verify`
(empty without one) and its `findings` as pairs of rule and statement, in order, without those that only the target
shows; and, only where there is such a file, `rollback` with the SHA-256 of rollback.md as `text`, and of rollback.sql
as `sql`, with the `model` and the `findings` of that; `system_identifier` and `database` of the target; the hashes of
`runbook` and `project`; the `engine` that runs the scripts (with `engine = "prisma"` the command, its version and
where it was found), and the `model` that it goes by. What moves by itself (sizes, severities, estimates, addresses) is
not in it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import rfc8785
from pydantic import JsonValue, SerializerFunctionWrapHandler, model_serializer

from migrations.folder import ROLLBACK, ROLLBACK_TEXT, Migration
from migrations.impact.budgets import Budgets
from migrations.impact.known import Known
from migrations.impact.weigh import Scales, Weighed
from migrations.impact.words import relation_text, span_text
from migrations.plan import Plan
from migrations.rules import Finding, judge
from migrations.sql import Model, Script, Way, execution_model, read_script
from migrations.sql.hiding import veil_of
from migrations.sql.veil import NOTHING, Veil
from migrations.undoing import wrong_with_script, wrong_with_text
from migrations.verify_sql import Claims, read_claims
from runbooks.planning.plan_told import Room, altered_told, locked
from runbooks.redact.scripts import Hiding
from runbooks.session import events as e
from runbooks.session.frozen import Frozen
from runbooks.session.runbook import Condition, Runbook
from runbooks.settings.durations import microseconds
from runbooks.settings.project import Environment, Project, Review

Hide = Callable[[Script], Veil]
"""What hides a script's secrets."""

APPLY = "migrations.apply"
REASONS = 100
"""So many are given for one condition; the rest is counted."""
LONGEST = 600
"""Characters of one of them."""


def hide_given(script: Script) -> Veil:
    """Passwords and their like alone."""
    return veil_of(script)


@dataclass(frozen=True, slots=True)
class Analysed:
    """One pending script, read and judged. `claims` are those of its verify.sql, `reverse` is its rollback.sql.

    `script` and `claims` are as they may be shown: `veil` and `verify_veil` hide what may not.
    """

    migration: Migration
    script: Script
    model: Model
    findings: tuple[Finding, ...]
    claims: Claims | None = None
    veil: Veil = NOTHING
    verify_veil: Veil = NOTHING
    reverse: "Analysed | None" = None

    @property
    def scripts(self) -> "tuple[Analysed, ...]":
        """It and the one that undoes it."""
        return (self, self.reverse) if self.reverse else (self,)


def analyse(migration: Migration, also: Sequence[str] = (), way: Way = "safe", hide: Hide = hide_given) -> Analysed:
    """Read and judge a script. Takes seconds for megabytes: not for the event loop. `also`: matters of taste."""
    script = read_script(migration.text)
    model = (
        Model("refused", f"the file cannot be run: {migration.problem}")
        if migration.problem
        else execution_model(script, way)
    )
    veil = hide(script)
    shown = veil.script(script)
    verify_veil, claims = _verify(migration.verify, hide) if migration.verify is not None else (NOTHING, None)
    reverse = analyse(migration.reverse, also, way, hide) if migration.reverse else None
    return Analysed(migration, shown, model, judge(shown, also), claims, veil, verify_veil, reverse)


def _verify(data: bytes, hide: Hide) -> tuple[Veil, Claims]:
    veil = hide(read_script(data.decode("utf-8", errors="replace")))
    return veil, read_claims(veil.text.encode() if veil else data)


def make_plan(
    project: Project,
    environment: Environment,
    runbook: Runbook,
    pending: Plan,
    target: e.Target,
    *,
    first_run: bool,
    mark: str | None,
    read: Sequence[Analysed] | None = None,
    known: Known | None = None,
    runner: e.Runner | None = None,
) -> e.PlanMade:
    """The plan for what is pending. `mark` is the environment that the database itself names.

    `read` are the pending scripts, if they were read already; `known` is what the target tells of what they touch.
    """
    if read is None:
        also, way, hide = project.review.also, way_of(runbook, runner), Hiding(project)
        read = [analyse(migration, also, way, hide) for migration in pending.pending]
    scales = Scales(budgets_of(project.review), known)
    weighed = [scales.weigh(one.script, one.findings) for one in read]
    room = Room()
    forward = [script_told(one, on_target, room) for one, on_target in zip(read, weighed, strict=True)]
    scripts = tuple(_with_rollback(told, one, scales, room) for told, one in zip(forward, read, strict=True))
    protected = _protected(project, environment, mark)
    return e.PlanMade(
        hash=plan_hash(project, runbook, scripts, target, runner),
        target=target,
        protected=bool(protected),
        scripts=scripts,
        held_back=tuple(migration.name for migration in pending.held_back),
        conditions=_conditions(read, weighed, runbook, protected, first_run=first_run),
        tables=room.tables_told(locked(weighed), known),
        unread=known.missing if known else (),
        runner=runner,
        altered=altered_told(one.script for one in read),
    )


def budgets_of(review: Review) -> Budgets:
    """The budgets of gonogo.toml, as findings are weighed by them."""
    return Budgets(microseconds(review.reads_blocked), microseconds(review.writes_blocked))


def plan_hash(
    project: Project,
    runbook: Runbook,
    scripts: Sequence[e.Script],
    target: e.Target,
    runner: e.Runner | None = None,
) -> str:
    """What a GO refers to, in lower-case hexadecimal; see the head of this file."""
    return covered_by(project, runbook, scripts, (target.system_identifier, target.database), runner).hash


class CoveredRollback(Frozen):
    """What the hash covers of what undoes a script; empty is what is not there."""

    text: str = ""
    sql: str = ""
    model: str = ""
    findings: tuple[tuple[str, int], ...] = ()


class CoveredScript(Frozen):
    """What the hash covers of one script. `findings` are pairs of rule and statement, in order."""

    name: str
    sha256: str
    model: str
    verify: str
    findings: tuple[tuple[str, int], ...]
    rollback: CoveredRollback | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A plan without ways back has the hash that it had before there were any."""
        return {key: value for key, value in dump(self).items() if key != "rollback" or value is not None}


class Covered(Frozen):
    """Everything that a plan's hash covers; see the head of this file."""

    scripts: tuple[CoveredScript, ...]
    system_identifier: str
    database: str
    runbook: str
    project: str
    engine: str
    model: str

    @property
    def hash(self) -> str:
        """The SHA-256 of its RFC 8785 bytes, in lower-case hexadecimal."""
        return hashlib.sha256(rfc8785.dumps(self.model_dump(mode="json"))).hexdigest()


def covered_by(
    project: Project,
    runbook: Runbook,
    scripts: Sequence[e.Script],
    database: tuple[str, str],
    runner: e.Runner | None = None,
) -> Covered:
    """What the hash covers. `database`: the system identifier and the name."""
    return Covered(
        scripts=tuple(
            CoveredScript(
                name=script.migration,
                sha256=script.sha256,
                model=script.model,
                verify=script.verify.sha256 if script.verify else "",
                findings=tuple(sorted(_pairs(script.findings))),
                rollback=_covered_rollback(script.rollback) if script.rollback else None,
            )
            for script in scripts
        ),
        system_identifier=database[0],
        database=database[1],
        runbook=runbook.sha256,
        project=project.sha256,
        engine=runner.words if runner else engine_of(runbook),
        model=way_of(runbook, runner),
    )


def _covered_rollback(rollback: e.Rollback) -> CoveredRollback:
    script = rollback.script
    if script is None:
        return CoveredRollback(text=rollback.text_sha256)
    findings = tuple(sorted(_pairs(script.findings)))
    return CoveredRollback(
        text=rollback.text_sha256, sql=script.sha256, model=script.model, findings=findings
    )  # fmt: skip


def _pairs(findings: Iterable[e.Finding]) -> list[tuple[str, int]]:
    return [(finding.rule, finding.statement) for finding in findings if not finding.live]


def engine_of(runbook: Runbook) -> str:
    """What runs the scripts: the `engine` of the step that applies them, `native` unless it says otherwise."""
    return str(_of_applying(runbook, "engine") or "native")


def way_of(runbook: Runbook, runner: e.Runner | None) -> Way:
    """In which way scripts are run: the runner's own, or the `model` of the step that applies them, else `safe`."""
    if runner is not None:
        return runner.way
    found = _of_applying(runbook, "model")
    return next((way for way in get_args(Way) if way == found), "safe")


def _of_applying(runbook: Runbook, name: str) -> JsonValue:
    return next((step.params.get(name) for step in runbook.steps() if step.uses == APPLY), None)


def _protected(project: Project, environment: Environment, mark: str | None) -> tuple[str, ...]:
    """Why the target is protected. The database's own mark counts as much as the name that was typed."""
    marked = project.environments.get(mark or "")
    reasons = []
    if environment.protected:
        reasons.append(f"the environment {environment.name} is protected")
    if marked is not None and marked.protected:
        reasons.append(f"the database says that it is {marked.name}, which is protected")
    return tuple(reasons)


def _conditions(
    read: Sequence[Analysed],
    weighed: Sequence[Weighed],
    runbook: Runbook,
    protected: tuple[str, ...],
    *,
    first_run: bool,
) -> dict[Condition, tuple[str, ...]]:
    """Each condition that holds, with what is behind it. What a script allows itself still loses what it loses."""
    by_name = [(one.migration.name, on_target) for one, on_target in zip(read, weighed, strict=True)]
    found = [(name, finding) for name, on_target in by_name for finding in on_target.findings]
    backfills = tuple(f"the runbook has the step {s.id}" for s in runbook.steps() if s.backfills)
    held: dict[Condition, tuple[str, ...]] = {
        "destructive": _words((name, f) for name, f in found if f.loses_data),
        "rewrite": _cut(
            words for one, on_target in zip(read, weighed, strict=True) for words in _rewrites(one, on_target)
        ),
        "blocking": _words((n, f) for n, f in found if f.severity == "stop" and not f.loses_data and not f.allowed),
        "backfill": backfills,
        "protected": protected,
        "first_run": ("the database has no ledger of migrations yet",) if first_run else (),
    }
    return {condition: reasons for condition, reasons in held.items() if reasons}


def _words(found: Iterable[tuple[str, Finding]]) -> tuple[str, ...]:
    return _cut(f"{name}, line {finding.line}: {finding.message}" for name, finding in found)


def _cut(words: Iterable[str]) -> tuple[str, ...]:
    found = tuple(word if len(word) <= LONGEST else f"{word[:LONGEST]}…" for word in words)
    more = (f"and {len(found) - REASONS} more",) if len(found) > REASONS else ()
    return found[:REASONS] + more


def _rewrites(one: Analysed, weighed: Weighed) -> Iterator[str]:
    """What is written anew, of tables that are neither new nor empty."""
    for statement, held in zip(one.script.statements, weighed.held, strict=True):
        for lock in held:
            relation = lock.what.relation
            if lock.what.work != "rewrite" or (relation is not None and relation.empty):
                continue
            size = f"; {relation_text(relation)}" if relation else ""
            time = f": {span_text(lock.span)}" if span_text(lock.span) else ""
            where = f"{one.migration.name}, line {statement.line}"
            yield f"{where}: writes {lock.what.shown} anew under {lock.what.lock.value}{size}{time}"


def _copy(veil: Veil) -> str:
    return hashlib.sha256(veil.text.encode()).hexdigest() if veil else ""


def script_told(one: Analysed, weighed: Weighed, room: Room) -> e.Script:
    """A script as events hold it."""
    statements = room.statements_told(one.script.statements, weighed.held)
    return e.Script(
        migration=one.migration.name,
        sha256=one.migration.checksum if one.migration.data is not None else "",
        copy_sha256=_copy(one.veil),
        size=len(one.migration.data or b""),
        model=one.model.kind,
        model_words=one.model.words,
        kept=one.model.kept,
        prisma=one.model.prisma,
        statements=tuple(statements),
        findings=tuple(room.findings_told(weighed.findings, len(statements))),
        verify=room.claims_told(one.migration.verify_sha256, one.claims, _copy(one.verify_veil))
        if one.claims
        else None,
    )


def _with_rollback(told: e.Script, one: Analysed, scales: Scales, room: Room) -> e.Script:
    """With what undoes it. How long that takes nobody can tell: what it meets is not what is there now."""
    migration, reverse = one.migration, one.reverse
    text = migration.rollback_text
    if reverse is None and text is None:
        return told
    of_script = wrong_with_script(reverse.migration, reverse.model) if reverse else ""
    of_text = wrong_with_text(text) if text is not None else ""
    alone = Scales(scales.budgets).weigh(reverse.script, reverse.findings) if reverse else None
    rollback = e.Rollback(
        script=script_told(reverse, alone, room) if reverse and alone else None,
        text=text.decode() if text is not None and not of_text else "",
        text_sha256=migration.rollback_text_sha256,
        wrong=tuple(f"{file}: {words}" for file, words in ((ROLLBACK, of_script), (ROLLBACK_TEXT, of_text)) if words),
    )
    return told.model_copy(update={"rollback": rollback})
