"""A plan: where, under which conditions, what is locked, each script with its statements and findings."""

from collections.abc import Iterator

from runbooks.report.approved import approval_points
from runbooks.report.parts import (
    Heading,
    Paragraph,
    Part,
    Point,
    Points,
    Refs,
    Script,
    Strong,
    Value,
    Verbatim,
    Words,
    listed,
    table,
)
from runbooks.report.plan_words import HOW, NO_REHEARSAL, allowed, coverage, held_for, table_words, unlike_prisma
from runbooks.report.words import many, size
from runbooks.session import events as e


def plan_parts(plan: e.PlanMade, when: str, seq: int) -> Iterator[Part]:
    """The plan, under a heading of its own; all of it comes from record `seq`."""
    yield Heading(3, ("Plan ", Refs((seq,))), seq)
    yield Points(tuple(Point(words) for words in _points(plan, when)))
    yield from _tables(plan)
    if any(statement.touches for script in plan.scripts for statement in script.statements):
        yield Paragraph((NO_REHEARSAL,))
    yield from _allowed(plan)
    for number, script in enumerate(plan.scripts, 1):
        yield Heading(4, (f"{number} of {len(plan.scripts)}: ", Value(script.migration), " ", Refs((seq,))))
        yield from script_parts(script)


def _points(plan: e.PlanMade, when: str) -> Iterator[Words]:
    yield (f"{when} hash ", Value(plan.hash))
    yield from _target(plan.target)
    if plan.runner:
        yield ("applied by ", Value(plan.runner.words))
    if plan.approval:
        yield from approval_points(plan.approval)
    for name, why in plan.conditions.items():
        reasons: Words = listed([(Value(each),) for each in why]) if why else ("holds",)
        yield ("condition ", Strong(name), ": ", *reasons)
    for held in plan.held_back:
        yield ("held back: ", Value(held))
    for what in plan.unread:
        yield (Strong("not read"), ": ", Value(what))
    for words in unlike_prisma(plan.scripts):
        yield ("other than here, ", Value(words))
    yield (coverage(plan.scripts),) if plan.scripts else (Strong("nothing to apply"),)


def _target(target: e.Target) -> Iterator[Words]:
    yield (
        *("target ", Value(target.address), ", PostgreSQL ", Value(target.server_version)),
        *(", identity ", Value(target.fingerprint), ", OID ", Value(target.oid), ", timeline ", Value(target.timeline)),
        *(f", {'in recovery' if target.in_recovery else 'primary'}, started ", Value(target.postmaster_start)),
    )


def script_parts(script: e.Script, file: str = "migration.sql") -> Iterator[Part]:
    """A script with its text, findings, statements and locks; `file` is what it is called in its folder."""
    yield Paragraph(
        (
            *("SHA-256 ", Value(script.sha256), f", {size(script.size)}, ", coverage((script,))),
            f", runs {HOW.get(script.model, script.model)}, {many(len(script.findings), 'finding')}",
        )
    )
    yield from _how_it_runs(script)
    if script.sha256:
        yield from _copied(script.copy_sha256)
        yield Script(script.migration.removesuffix(f"/{file}"), script.sha256, file, script.copy_sha256)
    yield from _findings(script)
    yield from _statements(script)
    yield from _locks(script)
    yield from _verify(script)
    yield from _rollback(script)


def _copied(sha256: str) -> Iterator[Part]:
    if sha256:
        yield Paragraph(("Secrets were taken out of the copy that was kept, whose SHA-256 is ", Value(sha256), "."))


def _how_it_runs(script: e.Script) -> Iterator[Part]:
    """Why as it does, and from where on a failure keeps something; where not all of it is one transaction."""
    if script.kept or script.model == "refused":
        yield Points(tuple(Point((Value(each),)) for each in (script.model_words, script.kept) if each))


def _verify(script: e.Script) -> Iterator[Part]:
    """What must be true once it is applied."""
    if verify := script.verify:
        yield Paragraph(
            (
                "Beside it ",
                Value("verify.sql"),
                ", SHA-256 ",
                Value(verify.sha256),
                ", each of which must be true afterwards:",
            )
        )
        yield from _copied(verify.copy_sha256)
        yield Script(script.migration, verify.sha256, "verify.sql", verify.copy_sha256)
        rows = tuple(((str(claim.line),), (Value(claim.text),)) for claim in verify.claims)
        yield table(("Line", "Statement"), rows, many(len(rows), "statement"))
        notes = [*verify.wrong, *([f"and {verify.more} more"] if verify.more else [])]
        if notes:
            yield Points(tuple(Point((Value(note),)) for note in notes))


def _rollback(script: e.Script) -> Iterator[Part]:
    """What undoes it, where that is written down or would have to be."""
    back = script.rollback
    if back is None:
        if script.loses_data:
            yield Paragraph(
                (
                    Strong("loses data"),
                    ", and nothing beside it says how it is undone",
                )
            )
        return
    if back.wrong:
        yield Points(tuple(Point((Strong("cannot be used"), ": ", Value(words))) for words in back.wrong))
    if back.text:
        yield Paragraph(("How it is undone: ", Value("rollback.md"), ", SHA-256 ", Value(back.text_sha256)))
        yield Verbatim(back.text)
    if back.script:
        yield Heading(5, ("The script that undoes it: ", Value(back.script.migration)))
        yield from script_parts(back.script, "rollback.sql")


def _tables(plan: e.PlanMade) -> Iterator[Part]:
    if plan.tables:
        rows = tuple(
            ((Value(table.name),), (Value(table_words(table)),), listed([(Value(word),) for word in table.words]))
            for table in plan.tables
        )
        yield table(("Locked", "Rows and size", "More"), rows, many(len(rows), "table is", "tables are") + " locked")


def _allowed(plan: e.PlanMade) -> Iterator[Part]:
    """All that the scripts allow themselves, in one list."""
    found = allowed(plan.scripts)
    if found:
        yield Paragraph(("Allowed by a comment in the script:",))
        yield Points(
            tuple(
                Point((Value(f.rule), " in ", Value(name), f", line {f.line}", *_loss(f), ": ", Value(f.allowed)))
                for name, f in found
            )
        )


def _statements(script: e.Script) -> Iterator[Part]:
    rows = tuple(
        ((str(number),), (str(one.line),), (Value(one.summary), *_why_not(one)))
        for number, one in enumerate(script.statements, 1)
    )
    if rows:
        yield table(("No.", "Line", "Statement"), rows, many(len(rows), "statement"))


def _why_not(statement: e.Statement) -> Words:
    if statement.analysed:
        return ()
    why: Words = (": ", Value(statement.why_not)) if statement.why_not else ()
    return (" ", Strong("not analysed"), *why)


def _locks(script: e.Script) -> Iterator[Part]:
    rows = tuple(
        _lock(number, statement.line, touch)
        for number, statement in enumerate(script.statements, 1)
        for touch in statement.touches
    )
    if rows:
        head = ("Statement", "Line", "Lock", "On", "Blocks", "Work", "Held")
        yield table(head, rows, many(len(rows), "lock"))


def _lock(number: int, line: int, touch: e.Touch) -> tuple[Words, ...]:
    texts = (touch.lock, touch.relation, touch.blocks, touch.work, held_for(touch))
    return ((str(number),), (str(line),), *((Value(text),) for text in texts))


def _findings(script: e.Script) -> Iterator[Part]:
    if script.findings:
        head = ("Finding", "Statement", "Line", "Rule", "What", "Lock", "Blocks", "Tables", "Instead")
        yield table(head, tuple(map(_finding, script.findings)), many(len(script.findings), "finding"))


def _finding(f: e.Finding) -> tuple[Words, ...]:
    live: Words = (" ", Strong("on this target")) if f.live else ()
    excuse: Words = (" allowed: ", Value(f.allowed)) if f.allowed else ()
    return (
        *((Strong(f.severity),), (str(f.statement + 1),), (str(f.line),)),
        *((Value(f.rule),), (Value(f.message), *_loss(f), *live, *excuse)),
        *((Value(text),) for text in (f.lock, f.blocks, ", ".join(f.tables), f.instead)),
    )


def _loss(finding: e.Finding) -> Words:
    return (" ", Strong("loses data")) if finding.loses_data else ()
