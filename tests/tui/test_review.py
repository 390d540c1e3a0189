"""Reading scripts: the right bytes, everything that is known of a statement, and no review by reflex."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from runbooks.session import commands as c
from runbooks.session import events as e
from tests.tui import plans
from tests.tui import recorded as r
from tests.tui.conftest import SMALL, Stage
from tui.app import GonogoApp
from tui.reviewing import Place
from tui.screens.review import Review
from tui.widgets.sql_pane import SqlPane

TIER, SHIPMENTS, LEGACY, CODE = plans.TEXTS


async def read_from(pilot: Pilot[int], app: GonogoApp) -> Review:
    """Open the review, and wait until a script is there."""
    await pilot.press("v")
    await r.settle(pilot, lambda: isinstance(app.screen, Review) and app.screen.drawn)
    screen = app.screen
    assert isinstance(screen, Review)
    await r.settle(pilot, lambda: screen.is_loaded or screen.complaint)
    return screen


async def press(pilot: Pilot[int], app: GonogoApp, keys: str, said: str) -> None:
    """Press keys, and wait until this is said, in a pane or by a toast, whatever it is wrapped into."""
    await pilot.press(*keys.split())
    await r.settle(pilot, lambda: " ".join(said.split()) in said_by(app))


def said_by(app: GonogoApp) -> str:
    """All that stands on the screen, pane by pane, and what was notified of."""
    rows = r.screen_text(app).split("\n")
    edges = [widget.region.x for widget in app.screen.query("#reading") if widget.region.width]
    edge = edges[0] if edges else 0
    toasts = (notification.message for notification in app._notifications)
    return " ".join(" ".join([*(row[edge:] for row in rows), *(row[:edge] for row in rows), *toasts]).split())


async def test_m_marks_the_bytes_that_were_shown(stage: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with stage(plans.to_review()) as (app, client, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "", "not reviewed: m marks it")
        await pilot.press("m")
        sha256 = plans.script(TIER).sha256
        await r.settle(pilot, lambda: client.sent == [c.Review(migration=TIER, sha256=sha256)])
        client.play(e.ScriptReviewed(migration=TIER, sha256=sha256, by=r.ANA))
        await press(pilot, app, "", f"{TIER} ✔ reviewed by ana@example.org")
        assert "M Mark, and comment" in said_by(app) and "Mark reviewed" not in said_by(app)
        await pilot.press("m")
        assert len(client.sent) == 1


async def test_a_mark_may_carry_a_comment_and_get_one_later(stage: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with stage(plans.to_review()) as (app, client, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "M", "Comment, for the record")
        await pilot.press(*"seen it", "enter")
        sha256 = plans.script(TIER).sha256
        await r.settle(pilot, lambda: client.sent == [c.Review(migration=TIER, sha256=sha256, comment="seen it")])
        client.play(e.ScriptReviewed(migration=TIER, sha256=sha256, comment="[red]seen\x1b[2J", by=r.ANA))
        await press(pilot, app, "", "reviewed by ana@example.org: [red]seen␛[2J")
        await press(pilot, app, "M", "Comment, for the record")
        await press(pilot, app, "escape", "✔ reviewed")


@pytest.mark.soak
async def test_f_goes_from_finding_to_finding_across_scripts_and_round(stage: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with stage(plans.to_review()) as (app, _, pilot):
        screen = await read_from(pilot, app)
        gone_to = []
        for number in (1, 2, 3, 4, 5, 1):
            await press(pilot, app, "f", f"finding {number} of 5")
            await r.settle(pilot, lambda: screen.is_loaded)
            script = screen.entry.script
            assert script is not None and screen.place.finding is not None
            gone_to.append(script.findings[screen.place.finding].rule)
        drops = ["column-drop", "work-under-exclusive-lock", "table-drop"]
        assert gone_to == ["index-without-concurrently", "add-foreign-key", *drops, "index-without-concurrently"]
        await press(pilot, app, "F", "finding 5 of 5")
        await press(pilot, app, "F F F", "finding 2 of 5")
        await press(pilot, app, "3", "held against nothing")


async def test_everything_that_is_known_of_a_statement_is_said(opened: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with opened(plans.to_review(), (120, 60)) as (app, _, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "f", "finding 1 of 5")
        for words in (
            "2 of 4 20260301130000_shipments",
            "3 statements, 3 analysed · in one transaction",
            "create index orders_placed_at_idx on orders (placed_at)",
            "orders: SHARE blocks writes; builds an index; guess: 26 s to 5.8 min",
            "41 million rows, 5.2 GB · 4 indexes, 1.9 GB · referenced by payments",
            "Times are guessed from the size, not rehearsed",
            "✖ STOP · index-without-concurrently: Writes to orders wait",
            "→ Build it CONCURRENTLY",
            'As SQL; c copies it: CREATE INDEX CONCURRENTLY "orders_placed_at_idx"',
            "https://www.postgresql.org/docs/current/sql-createindex.html",
            "its script: all of it is in one transaction, together with the ledger",
        ):
            await press(pilot, app, "", words)
        await press(pilot, app, "S", "locks nothing that others use ✔ no rule speaks of it")
        await press(pilot, app, "f f f f f", "allowed by the script: the exports are in the vault since January")
        await press(
            pilot, app, "", "legacy_exports: ACCESS EXCLUSIVE blocks reads and writes; changes the catalog only"
        )
        await press(pilot, app, "S", "blocks nobody: payments (ACCESS SHARE)")


async def test_what_is_not_analysed_and_what_needs_no_transaction_is_said(opened: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    code = plans.script(CODE)
    first = code.statements[0].model_copy(update={"alone": True})
    code = code.model_copy(update={"statements": (first, code.statements[1])})
    plan = plans.planned(code, unread=("nobody may look",))
    async with opened(plans.to_review(plan)) as (app, _, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "", "2 statements, 1 analysed, 1 not: line 1")
        await press(pilot, app, "", "not analysed: line 3 makes SQL while it runs. Read it as if it could do anything.")
        await press(pilot, app, "", "It cannot be in a transaction.")
        await press(pilot, app, "1", "2 statements, 1 not analysed")


@pytest.mark.soak
async def test_the_tree_leads_to_each_script_statement_and_finding(stage: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with stage(plans.to_review()) as (app, _, pilot):
        screen = await read_from(pilot, app)
        await press(pilot, app, "1", "4 scripts, 4 to review")
        tree = screen.query_one("#scripts", OptionList)
        await pilot.press("up")
        seen = []
        for _ in range(18):
            await r.settle(pilot, lambda: screen.is_loaded)
            seen.append((screen.entry.migration, screen.place.statement, screen.place.finding))
            await pilot.press("down")
            await pilot.pause()
        assert seen[:4] == [(TIER, 0, None), (TIER, 0, None), (SHIPMENTS, 0, None), (SHIPMENTS, 0, None)]
        assert (SHIPMENTS, 1, 0) in seen and (LEGACY, 2, 2) in seen and (CODE, 1, None) in seen
        await pilot.press("home")
        await r.settle(pilot, lambda: screen.place.entry == "p0" and screen.is_loaded)
        assert tree.has_focus
        await pilot.press("down", "down", "down", "down", "down", "enter")
        await press(pilot, app, "", "Statement 2 of 3 · line 9 · finding 1 of 5")
        assert not tree.has_focus


async def test_what_scripts_allow_themselves_stands_in_one_list_that_leads_there(stage: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with stage(plans.to_review()) as (app, _, pilot):
        screen = await read_from(pilot, app)
        await press(pilot, app, "a", "Allowed by comments: 1 finding in 1 script")
        await press(pilot, app, "", "allowed because the exports are in the vault since January")
        await press(pilot, app, "enter", "Statement 3 of 3 · line 8 · finding 5 of 5")
        assert screen.entry.migration == LEGACY


@pytest.mark.soak
async def test_words_are_searched_for_and_n_goes_on_into_other_scripts(stage: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with stage(plans.to_review()) as (app, _, pilot):
        screen = await read_from(pilot, app)
        await pilot.press("n")
        await press(pilot, app, "", "Search for something first")
        await press(pilot, app, "right", "2 of 4")
        await press(pilot, app, "slash", "enter goes to the next place")
        await press(pilot, app, "P L C E left left A enter", "2 places, this is number 1")
        assert screen.place.statement == 1 and screen.sql.at == plans.TEXTS[SHIPMENTS].index("placed")
        await press(pilot, app, "n", "2 places, this is number 2")
        await press(pilot, app, "n", "2 places, this is number 1")
        await press(pilot, app, "N", "2 places, this is number 2")
        await press(pilot, app, "slash l e g a c y underscore enter", "3 of 4")
        await press(pilot, app, "", "2 places, this is number 1")
        assert screen.entry.migration == LEGACY
        await press(pilot, app, "slash", "/legacy_")
        assert screen.search.asks
        await press(pilot, app, "escape", "2 places")
        await press(pilot, app, "slash z z z enter", "It stands in none of these scripts.")
        await press(pilot, app, "slash backspace enter", "3 of 4")
        assert not screen.search.display


async def test_the_safer_form_and_the_statement_are_copied_without_control_codes(opened: Stage, tmp_path: Path) -> None:
    text = "DROP TABLE a\r\n\t-- \x1b[2J; rm -rf\r\n;"
    drop = plans.script(
        "20260401000000_odd", text, (e.Statement(line=1, start=0, end=len(text) - 1, summary="drop table a"),)
    )
    plans.keep(tmp_path, text)
    plan = plans.planned(plans.script(LEGACY), drop)
    async with opened(plans.to_review(plan)) as (app, _, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "c", "No rule offers other SQL for this statement")
        await press(pilot, app, "f f c", "The safer form, 4 lines")
        assert app.clipboard.startswith("BEGIN;\nSET LOCAL lock_timeout")
        await press(pilot, app, "F", "finding 1 of 3")
        await press(pilot, app, "C", "Statement 2, 2 lines")
        assert app.clipboard == 'ALTER TABLE "orders"\n  DROP COLUMN "legacy_code"'
        await press(pilot, app, "right", "2 of 2")
        await press(pilot, app, "C", "Statement 1, 2 lines")
        assert app.clipboard == "DROP TABLE a\n\t-- ␛[2J; rm -rf\n"


async def test_v_lays_the_statement_out_and_shows_the_file_again(stage: Stage, tmp_path: Path) -> None:
    long = "INSERT INTO t VALUES " + ", ".join("(1)" for _ in range(20_000))
    text = "SELECT a, b FROM t WHERE c AND d;\n" + long + ";\n"
    spans = (
        e.Statement(line=1, start=0, end=32, summary="SELECT"),
        e.Statement(line=2, start=34, end=34 + len(long), summary="insert 20000 rows into t"),
    )
    plans.keep(tmp_path, text)
    async with stage(plans.to_review(plans.planned(plans.script("20260401000000_s", text, spans)))) as (app, _, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "v", "1 │ SELECT a, 2 │ b 3 │ FROM t")
        await press(pilot, app, "", "laid out for reading; v shows the file as it is")
        await press(pilot, app, "s", "as it was written: it cannot be laid out without changing it")
        await press(pilot, app, "v", "▸2 │ INSERT INTO t")


async def test_what_is_applied_can_be_read_and_whether_it_was_edited(stage: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    (tmp_path / "shop").mkdir()
    project = plans.make_project(tmp_path / "shop")
    (project / "sql" / "20251001080000_init" / "migration.sql").write_text("CREATE TABLE orders (id bigint);\n")
    async with stage(plans.to_review(project=project)) as (app, client, pilot):
        screen = await read_from(pilot, app)
        await press(pilot, app, "1 end enter", "2 scripts applied already")
        await press(pilot, app, "down enter", "1 of 2 20251102090000_products ✔ applied 2025-10-01 08:00 UTC")
        await press(pilot, app, "", "CREATE TABLE products (id int); ")
        await press(pilot, app, "", "This is what was applied: the ledger has SHA-256")
        await press(pilot, app, "right", "edited since it was applied: SHA-256")
        await press(pilot, app, "", "CREATE TABLE orders (id bigint); ")
        await press(pilot, app, "", "This is not what was applied")
        await press(pilot, app, "m", "there is nothing left to review")
        assert client.sent == []
        (project / "gonogo.toml").unlink()
        await press(pilot, app, "left", "cannot be read any more")
        assert not screen.is_loaded


async def test_a_long_script_is_reviewed_only_after_its_end_was_seen(opened: Stage, tmp_path: Path) -> None:
    text = "".join(f"INSERT INTO t VALUES ({n});\n" for n in range(200))
    plans.keep(tmp_path, text)
    async with opened(plans.to_review(plans.planned(plans.script("20260401000000_long", text)))) as (
        app,
        client,
        pilot,
    ):
        await read_from(pilot, app)
        await press(pilot, app, "", "read on to its end")
        await pilot.press("m")
        assert client.sent == []
        await press(pilot, app, "end", "m marks it")
        await pilot.press("m")
        await r.settle(pilot, lambda: len(client.sent) == 1)


async def test_what_stands_behind_another_pane_was_not_seen(opened: Stage, tmp_path: Path) -> None:
    text = "SELECT 1;\n" * 100
    statements = tuple(e.Statement(line=n + 1, start=10 * n, end=10 * n + 8, summary="SELECT 1") for n in range(100))
    last = e.Finding(rule="last-one", severity="warn", statement=99, line=100, message="here")
    script = plans.script("20260401000000_long", text, statements, findings=(last,))
    plans.keep(tmp_path, text)
    async with opened(plans.to_review(plans.planned(script))) as (app, client, pilot):
        screen = await read_from(pilot, app)
        for pane in ("3", "1"):
            await pilot.press(pane, "home")
            await press(pilot, app, "f", "last-one")
            await pilot.press("m")
            await r.settle(pilot, lambda: "Read on to its end first" in said_by(app))
            assert not screen.sql.seen_end
            screen.go(Place("p0", 0))
        await press(pilot, app, "3 f 2", "m marks it")
        assert client.sent == []


async def test_a_click_goes_to_a_row(opened: Stage, tmp_path: Path) -> None:
    plans.keep(tmp_path)
    async with opened(plans.to_review()) as (app, _, pilot):
        screen = await read_from(pilot, app)
        await press(pilot, app, "right", "2 of 4")
        await r.settle(pilot, lambda: screen.is_loaded)
        await pilot.click(SqlPane, offset=(10, 4))
        assert screen.sql.text.line_of(screen.sql.at) == 4


@pytest.mark.parametrize("size", [(40, 10), (80, 11), (24, 6)])
async def test_the_smallest_terminals_show_the_script(opened: Stage, tmp_path: Path, size: tuple[int, int]) -> None:
    plans.keep(tmp_path)
    async with opened(plans.to_review(), size) as (app, _, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "f", "▸ 9 ✖│")
        await press(pilot, app, "3", "STOP" if size[1] > 6 else "Statement 2 of 3")


@pytest.mark.parametrize("broken", ["other bytes", "no file"])
async def test_other_bytes_than_the_plans_are_not_shown_and_not_reviewed(
    opened: Stage, tmp_path: Path, broken: str
) -> None:
    plans.keep(tmp_path)
    async with opened(plans.to_review()) as (app, client, pilot):
        file = tmp_path / "scripts" / f"{plans.script(TIER).sha256}.sql"
        if broken == "no file":
            file.unlink()
        else:
            file.write_text("DROP TABLE secrets;")
        words = "does not have this script" if broken == "no file" else "not the bytes of the plan"
        await press(pilot, app, "v", words)
        assert "secrets" not in r.screen_text(app)
        await pilot.press("m")
        assert client.sent == []


async def test_hostile_words_in_findings_do_nothing(opened: Stage, tmp_path: Path) -> None:
    evil = "[/red]\x1b[2J\x07[@click=app.quit]x[/] \u202egnp"
    finding = plans.script(SHIPMENTS).findings[0]
    fields = dict.fromkeys(("rule", "message", "instead", "source", "safer_sql", "allowed"), evil)
    touch = e.Touch(relation=evil, lock=evil, blocks=evil, work=evil, least=1, most=2)
    script = plans.script(SHIPMENTS).model_copy(update={"findings": (finding.model_copy(update=fields),)})
    statement = script.statements[1].model_copy(update={"touches": (touch,), "summary": evil, "why_not": evil})
    statement = statement.model_copy(update={"analysed": False})
    script = script.model_copy(update={"statements": (script.statements[0], statement), "model_words": evil})
    script = script.model_copy(update={"kept": evil, "prisma": evil})
    plan = plans.planned(script, tables=(e.Table(name=evil, rows=1, words=(evil,)),), unread=(evil,))
    plans.keep(tmp_path)
    async with opened(plans.to_review(plan), (120, 60)) as (app, _, pilot):
        await read_from(pilot, app)
        await press(pilot, app, "f", "[/red]␛[2J␇[@click=app.quit]x[/] \ufffdgnp:")
        await press(pilot, app, "a", "allowed because [/red]␛[2J␇")
        assert not {"\x1b", "\x07", "\u202e"} & set(r.screen_text(app))


# 5 MB ------------------------------------------------------------------------------------------

ROWS = 150_000
LINE = "INSERT INTO t VALUES (1, 'abc');"
SHAPES = {"lines": LINE + "\n", "one line": LINE + " ", "wide": "INSERT INTO t VALUES (1, '漢字');\n"}


def large(shape: str, rows: int = ROWS) -> tuple[str, e.Script]:
    """A script of as many statements as a plan tells of, and a finding on the last."""
    row = SHAPES[shape]
    told = min(rows, 60_000)
    spans = tuple(
        e.Statement.model_construct(line=n + 1, start=n * len(row), end=n * len(row) + row.index(";"), summary="insert")
        for n in range(told)
    )
    last = e.Finding(rule="last-one", severity="warn", statement=told - 1, line=told, message="here")
    text = row * rows
    return text, plans.script(f"20260401000000_{rows}", text, spans, findings=(last,))


@pytest.mark.soak
@pytest.mark.parametrize("shape", ["lines", "one line", "wide"])
async def test_a_script_of_5_mb_is_read_to_its_end_by_keys(opened: Stage, tmp_path: Path, shape: str) -> None:
    text, script = large(shape)
    plans.keep(tmp_path, text)
    async with opened(plans.to_review(plans.planned(script)), SMALL) as (app, client, pilot):
        screen = await read_from(pilot, app)
        await r.settle(pilot, lambda: screen.sql.text.whole)
        assert not screen.sql.seen_end
        assert screen.tree_of_scripts.option_count < 10
        await press(pilot, app, "f", "Statement 60000 of 60000")
        assert screen.sql.at == script.statements[-1].start
        await press(pilot, app, "home pagedown j s", "Statement")
        await press(pilot, app, "end", "m marks it")
        await pilot.press("m")
        await r.settle(pilot, lambda: len(client.sent) == 1)


@pytest.mark.soak
async def test_the_first_lines_of_5_mb_cost_what_those_of_a_small_script_cost(
    opened: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on the screen first needs no look at the rest: as many characters are coloured, as many laid out."""
    from tui import sql_text

    costs = []
    for rows in (1000, ROWS):
        coloured, laid_out = [], []
        lex, printable = sql_text.lex, sql_text.printable
        text, script = large("lines", rows)
        plans.keep(tmp_path, text)
        async with opened(plans.to_review(plans.planned(script)), SMALL) as (app, _, pilot):
            with monkeypatch.context() as patch:
                patch.setattr(sql_text, "lex", lambda text, to=coloured, by=lex: to.append(len(text)) or by(text))
                patch.setattr(sql_text, "printable", lambda s, to=laid_out, by=printable: to.append(len(s)) or by(s))
                await press(pilot, app, "v", LINE)
                costs.append((sum(coloured), next(filter(None, laid_out))))
    (few, some), (many, first) = costs
    assert 0 < few < 2000 and 0 < many < 2000
    assert 10_000 < some == first < 20_000


@pytest.mark.soak
async def test_words_are_found_at_the_end_of_5_mb(opened: Stage, tmp_path: Path) -> None:
    text, script = large("lines")
    text += "SELECT 'needle';\n"
    plans.keep(tmp_path, text)
    script = plans.script("20260401000000_needle", text, script.statements)
    async with opened(plans.to_review(plans.planned(script)), SMALL) as (app, _, pilot):
        screen = await read_from(pilot, app)
        await press(pilot, app, "slash N E E D L E enter", "1 place, this is number 1")
        assert screen.sql.at == text.index("needle")
        await press(pilot, app, "slash I N S E R T enter", "10000 places or more")
