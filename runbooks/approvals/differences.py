"""What differs between a plan that was approved and one that was made elsewhere, or later: each thing as a line."""

from collections.abc import Iterator

from runbooks.planning.planning import Covered, CoveredRollback, CoveredScript


def differences(plan: Covered, other: Covered, where: str) -> Iterator[str]:
    """Every difference that the hash sees. `where` is the other one: `here`, or `now`."""
    ours, theirs = ({script.name: script for script in one.scripts} for one in (plan, other))
    for name in ours.keys() - theirs.keys():
        yield f"{name}: in the plan, and not {where}"
    for name in theirs.keys() - ours.keys():
        yield f"{name}: {where}, and not in the plan"
    both = [name for name in ours if name in theirs]
    for name in both:
        yield from _of_script(ours[name], theirs[name], where)
    if both != [name for name in theirs if name in ours]:
        yield f"the order of the scripts is another one {where}"
    for what, before, after in (
        ("the server", plan.system_identifier, other.system_identifier),
        ("the database", plan.database, other.database),
        ("the runbook", plan.runbook, other.runbook),
        ("gonogo.toml", plan.project, other.project),
        ("what applies the scripts", plan.engine, other.engine),
        ("the way they are run", plan.model, other.model),
    ):
        if before != after:
            yield f"{what}: {_brief(before)} in the plan, {_brief(after)} {where}"


def _of_script(plan: CoveredScript, other: CoveredScript, where: str) -> Iterator[str]:
    for what, before, after in (
        ("SHA-256", plan.sha256, other.sha256),
        ("run", plan.model, other.model),
        ("verify.sql", plan.verify, other.verify),
        *_of_rollback(plan.rollback, other.rollback),
    ):
        if before != after:
            yield f"{plan.name}: {what} {_brief(before)} in the plan, {_brief(after)} {where}"
    for rule, statement in sorted(set(plan.findings) - set(other.findings)):
        yield f"{plan.name}: {rule} at statement {statement + 1} in the plan, and not {where}"
    for rule, statement in sorted(set(other.findings) - set(plan.findings)):
        yield f"{plan.name}: {rule} at statement {statement + 1} {where}, and not in the plan"


def _of_rollback(plan: CoveredRollback | None, other: CoveredRollback | None) -> Iterator[tuple[str, str, str]]:
    before, after = plan or CoveredRollback(), other or CoveredRollback()
    yield "rollback.md", before.text, after.text
    yield "rollback.sql", before.sql, after.sql
    if before.sql and after.sql:
        yield "rollback.sql run", before.model, after.model
        yield "findings of rollback.sql", _found(before), _found(after)


def _found(rollback: CoveredRollback) -> str:
    return ", ".join(f"{rule} at statement {statement + 1}" for rule, statement in rollback.findings)


def _brief(text: str) -> str:
    """A hash by its beginning; everything else whole."""
    is_hash = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return f"{text[:12]}…" if is_hash else text or "none"
