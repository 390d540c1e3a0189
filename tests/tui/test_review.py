"""Reading scripts: the right bytes, the right findings, and a review that nobody gives by reflex."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from runbooks import commands as c
from runbooks import events as e
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.app import GonogoApp
from tui.screens.review import Review
from tui.sql_text import SqlText, WrongBytes, read_script

FIRST, SECOND = r.SCRIPTS


async def read_from(pilot: Pilot[int], app: GonogoApp) -> Review:
    """Open the review, and wait until a script is there."""
    await pilot.press("v")
    await r.settle(pilot, lambda: isinstance(app.screen, Review) and app.screen.drawn)
    screen = app.screen
    assert isinstance(screen, Review)
    await r.settle(pilot, lambda: "│" in r.screen_text(app) and "not read" not in r.screen_text(app))
    return screen


async def test_m_marks_the_bytes_that_were_shown(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, client, pilot):
        await read_from(pilot, app)
        await r.settle(pilot, lambda: "m marks it" in r.screen_text(app))
        await pilot.press("m")
        expected = c.Review(migration=FIRST, sha256=r.script(FIRST).sha256)
        await r.settle(pilot, lambda: client.sent == [expected])
        client.play(r.reviewed(FIRST))
        await r.settle(pilot, lambda: f"{FIRST}  ✔ reviewed" in r.screen_text(app))
        await pilot.press("m")
        assert len(client.sent) == 1


async def test_findings_stand_beside_the_statement_that_one_is_on(stage: Stage) -> None:
    async with stage(r.to_preflight()) as (app, _, pilot):
        await read_from(pilot, app)
        assert "no rule speaks of it" in r.screen_text(app)
        await pilot.press("right")
        await r.settle(pilot, lambda: f"2 of 2  {SECOND}" in r.screen_text(app))
        await pilot.press("n", "n")
        await r.settle(pilot, lambda: "LOSES DATA · drop-column" in r.screen_text(app))
        shown = r.screen_text(app)
        for words in ("Statement 2 of 3", 'drop column "legacy_code" of orders', "ACCESS EXCLUSIVE", "▸5 ✖"):
            assert words in shown
        await pilot.press("n", "n")
        await r.settle(pilot, lambda: "update-without-batches" in r.screen_text(app))


async def test_a_long_script_is_reviewed_only_after_its_end_was_seen(opened: Stage, tmp_path: Path) -> None:
    text = "".join(f"INSERT INTO t VALUES ({n});\n" for n in range(200))
    script = r.script("20260401000000_long", text)
    plan = r.planned().model_copy(update={"scripts": (script,)})
    events = [event if event.kind != "plan_made" else plan for event in r.to_preflight()]
    async with opened(events) as (app, client, pilot):
        (tmp_path / "scripts" / f"{script.sha256}.sql").write_text(text)
        await read_from(pilot, app)
        await r.settle(pilot, lambda: "read on to its end" in r.screen_text(app))
        await pilot.press("m")
        assert client.sent == []
        await pilot.press("end")
        await r.settle(pilot, lambda: "m marks it" in r.screen_text(app))
        await pilot.press("m")
        await r.settle(pilot, lambda: len(client.sent) == 1)


@pytest.mark.parametrize("broken", ["other bytes", "no file"])
async def test_other_bytes_than_the_plans_are_not_shown_and_not_reviewed(
    opened: Stage, tmp_path: Path, broken: str
) -> None:
    async with opened(r.to_preflight()) as (app, client, pilot):
        file = tmp_path / "scripts" / f"{r.script(FIRST).sha256}.sql"
        if broken == "no file":
            file.unlink()
        else:
            file.write_text("DROP TABLE customers;")
        await pilot.press("v")
        words = "does not have this script" if broken == "no file" else "not the bytes of the plan"
        await r.settle(pilot, lambda: words in " ".join(r.screen_text(app).split()))
        assert "customers" not in r.screen_text(app)
        await pilot.press("m")
        assert client.sent == []


def test_the_bytes_are_hashed_before_they_are_shown(tmp_path: Path) -> None:
    r.keep_scripts(tmp_path)
    assert read_script(tmp_path, r.script(FIRST)) == r.SCRIPTS[FIRST]
    (tmp_path / "scripts" / f"{r.script(FIRST).sha256}.sql").write_text(r.SCRIPTS[FIRST] + " ")
    with pytest.raises(WrongBytes, match="not the bytes of the plan"):
        read_script(tmp_path, r.script(FIRST))


def shades(text: str, line: int, spans: tuple[tuple[int, int], ...] = ()) -> dict[str, str]:
    return {piece: shade for piece, shade in SqlText(text, spans).pieces(line) if piece.strip()}


def test_a_backslash_in_an_e_string_does_not_colour_the_rest_as_text() -> None:
    for quoted in (r"E'it\'s'", r"e'\\'", "E'two''s'"):
        found = shades(f"SELECT {quoted};\nDROP TABLE t;", 1)
        assert found["DROP"] == "sql-keyword" and found["t"] != "sql-text", quoted
    assert shades(r"SELECT '\'; DROP TABLE t;", 0)["DROP"] == "sql-keyword"


def test_what_spans_lines_keeps_its_colour() -> None:
    text = "/* one\n   DROP TABLE t;\n*/ SELECT 1;\nDO $$\nBEGIN\n  DROP TABLE t;\nEND $$;"
    assert shades(text, 1) == {"   DROP TABLE t;": "sql-comment"}
    assert "sql-keyword" in shades(text, 2).values()


def test_statements_of_a_line() -> None:
    text = "-- first\nBEGIN; DROP TABLE a;\nDROP TABLE\n  b; COMMIT;\n\n"
    spans = tuple(
        (text.index(s), text.index(s) + len(s)) for s in ("BEGIN", "DROP TABLE a", "DROP TABLE\n  b", "COMMIT")
    )
    sql = SqlText(text, spans)
    assert [list(sql.statements(line)) for line in range(6)] == [[0], [0, 1], [2], [2, 3], [], []]
    assert "".join(piece for piece, _ in sql.pieces(3)) == "  b; COMMIT;"


@pytest.mark.parametrize("shape", ["many lines", "one line"])
def test_a_large_script_is_coloured_only_where_it_is_looked_at(shape: str) -> None:
    """5 MB: only what is on the screen, and what it stands in, is coloured."""
    row = "INSERT INTO t VALUES (1, 'abc', E'x\\'y');"
    text = (row + ("\n" if shape == "many lines" else " ")) * 120_000
    spans = tuple((n * (len(row) + 1), n * (len(row) + 1) + len(row) - 1) for n in range(120_000))
    sql = SqlText(text, spans)
    coloured = 0
    original = sql._lex

    def counted(begin: int, end: int) -> object:
        nonlocal coloured
        coloured += end - begin
        return original(begin, end)

    sql._lex = counted  # type: ignore[method-assign,assignment]
    if shape == "many lines":
        for line in range(60_000, 60_040):
            assert "".join(text for text, _ in sql.pieces(line)) == row
    else:
        for part in range(20_000, 20_040):
            assert len("".join(text for text, _ in sql.pieces(0, part * 100, part * 100 + 100))) == 100
    assert 0 < coloured < 40 * 200


def test_tabs_are_widened_and_the_spans_with_them() -> None:
    text = "\tBEGIN;\n\tDROP\tTABLE a;\n"
    begin = text.index("DROP")
    sql = SqlText(text, ((1, 6), (begin, begin + len("DROP\tTABLE a"))))
    assert sql.line(1) == "    DROP    TABLE a;"
    assert [list(sql.statements(line)) for line in (0, 1)] == [[0], [1]]
    assert [sql.first_line(number) for number in (0, 1)] == [0, 1]


async def test_a_script_of_5_mb_opens_and_is_read_to_its_end(opened: Stage, tmp_path: Path) -> None:
    text = "INSERT INTO t VALUES (1, 'abc');\n" * 150_000
    script = r.script("20260401000000_large", text)
    plan = r.planned().model_copy(update={"scripts": (script,)})
    events: list[e.Event] = [event if event.kind != "plan_made" else plan for event in r.to_preflight()]
    async with opened(events) as (app, _, pilot):
        (tmp_path / "scripts" / f"{script.sha256}.sql").write_text(text)
        await read_from(pilot, app)
        await pilot.press("end")
        await r.settle(pilot, lambda: "150000" in r.screen_text(app))
