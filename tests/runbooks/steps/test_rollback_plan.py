"""`rollback.plan`: what undoes the pending scripts, where it must be there, and how it is printed."""

from dataclasses import replace
from pathlib import Path

import pytest

from migrations.folder import Migration
from runbooks.journal.named import named_by
from runbooks.pack import verify as alone
from runbooks.report.rollback_words import rollback_lines
from runbooks.session import events as e
from runbooks.session.view import fold
from tests.runbooks.planning.test_planning import ADD, migration, plan
from tests.runbooks.session.test_gates import OPENED
from tests.runbooks.steps_context import StepContext
from tests.runbooks.transcript_records import recorded
from tui.reviewing import pending
from tui.widgets.outline import outline
from tui.widgets.review_heading import heading
from tui.widgets.statement_rows import told_of_script

DROP = migration("ALTER TABLE t DROP COLUMN c;")
UNDO = b"ALTER TABLE t ADD c int;"


async def look(folder: Path, *pending: Migration) -> StepContext:
    ctx = StepContext("postgresql://nobody@127.0.0.1:1/never_reached", folder)
    ctx.events.append(plan(*pending))
    await ctx.run("rollback.plan")
    return ctx


@pytest.mark.parametrize(
    "script, outcome, evidence",
    [
        (DROP, "fail", "it loses data, and there is neither rollback.md nor rollback.sql beside it"),
        (replace(DROP, rollback=UNDO), "ok", "rollback.sql, SHA-256 "),
        (replace(DROP, rollback=b"DROP TABLE u"), "ok", "loses data itself"),
        (replace(DROP, rollback_text=b"from the dump"), "ok", "rollback.md, SHA-256 "),
        (replace(DROP, rollback=UNDO, rollback_text=b""), "fail", "rollback.md: it is empty"),
        (replace(ADD, rollback=b"ALTER"), "fail", "rollback.sql: it cannot be read"),
    ],
)
async def test_what_loses_data_must_have_a_way_back(
    tmp_path: Path, script: Migration, outcome: str, evidence: str
) -> None:
    ctx = await look(tmp_path, script)
    assert ctx.outcomes == {script.name: outcome}
    assert evidence in ctx.found(script.name).evidence


async def test_what_loses_nothing_needs_none(tmp_path: Path) -> None:
    assert (await look(tmp_path, ADD)).outcomes == {"way-back": "ok"}


def test_it_is_printed_for_the_ticket() -> None:
    made = plan(DROP, replace(ADD, name="2_add", rollback=b"ALTER TABLE t DROP c;", rollback_text=b"# How\n\nby hand"))
    lines = list(rollback_lines(made))
    assert lines[:2] == [
        f"{DROP.name} (loses data) is undone by",
        "  nothing that is written down: no rollback.md, no rollback.sql",
    ]
    assert "    # How" in lines and "    by hand" in lines and "    line 1: drop column c of t" in lines
    assert any(line.startswith("    stop column-drop, line 1") for line in lines)


def test_both_verifiers_look_at_the_copy_of_a_script_that_undoes_another() -> None:
    made = plan(replace(DROP, rollback=UNDO))
    (record,) = recorded([made])
    assert isinstance(record.event, e.PlanMade)
    ours = [(one.path, one.sha256) for one in named_by(record)]
    assert ours == alone.named_by("plan_made", made.model_dump(mode="json"))
    assert [path for path, _ in ours] == [f"scripts/{script.sha256}.sql" for script in made.to_review]


def test_it_stands_behind_its_script_in_the_review() -> None:
    made = plan(replace(DROP, rollback=UNDO, rollback_text=b"by hand"))
    view = fold([(0, "2026-01-01T00:00:00.000000Z", OPENED), (1, "2026-01-01T00:00:01.000000Z", made)])
    entries = pending(made.to_review)
    first, *_, second = outline(view, entries, (), "", unfolded=False)
    assert DROP.name in first.row.body.plain and second.row.body.plain.startswith("└ rollback.sql\n1 statement")
    words = heading(view, entries, entries[0], seen_end=True, loaded=True, said=("", "")).plain
    assert "undone by rollback.md and rollback.sql" in words
    assert any("by hand" in row.body.plain for row in told_of_script(made.scripts[0], ()).rows)
