"""What is told of a statement that failed: where it stands, with a caret, and the server's message whole."""

import pytest

from migrations.apply import ScriptFailed
from migrations.apply.script_failed import caret
from migrations.sql import Way
from tests.migrations.applying import Bench

RAISES = """CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'no' USING DETAIL = 'why not', HINT = 'do this', ERRCODE = 'P0042';
END $$;
"""
WIDE = "SELECT '漢字', 'ä', nope;"
SCRIPTS = {
    "a syntax that only the server minds": ("SELECT 1;\nSELECT nope;", 1, 2, "LINE 2: SELECT nope;\n               ^"),
    "lines that end as on Windows": ("SELECT 1;\r\n\r\nSELECT 1,\r\n  nope;\r\n", 1, 4, "LINE 4:   nope;\n          ^"),
    "characters of more than a byte, and wide ones": (f"{WIDE}\n", 0, 1, f"LINE 1: {WIDE}\n{' ' * 28}^"),
    "a tab": ("SELECT\t1,\tnope;", 0, 1, "LINE 1: SELECT 1, nope;\n                  ^"),
    "after a comment of many bytes": ("-- äöü\nSELECT 1;\n/* ß */ SELECT nope;", 1, 3,
                                      "LINE 3: /* ß */ SELECT nope;\n                       ^"),
    "without a position": ("CREATE TABLE t (c int UNIQUE);\nINSERT INTO t VALUES (1);\n\nINSERT INTO t VALUES (1);\n"
                           "SELECT 1;", 2, 4, "LINE 4: INSERT INTO t VALUES (1);"),
    "inside of a function": (f"{RAISES}\nSELECT f();", 1, 6, "LINE 6: SELECT f();"),
    "inside of code that is run": ("SELECT 1;\nDO $$\nBEGIN\n  PERFORM 1;\n  PERFORM nope;\nEND $$;", 1, 5,
                                   "LINE 5:   PERFORM nope;"),
}  # fmt: skip


@pytest.mark.parametrize("way", ["safe", "prisma-7.3"])
async def test_where_a_statement_failed(database: str, way: Way) -> None:
    bench, found = Bench(database), dict[str, tuple[int, int, str]]()
    for number, (name, (text, *_)) in enumerate(SCRIPTS.items()):
        with pytest.raises(ScriptFailed) as caught:
            await bench.apply({str(number): text}, way)
        place = caught.value.place
        found[name] = (place.statement, place.line, place.caret)
        assert caught.value.place.words == f"statement {place.statement + 1} of {place.statements}, line {place.line}"
        await bench.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL")
    assert found == {name: tuple(expected) for name, (_, *expected) in SCRIPTS.items()}


async def test_the_servers_message_is_told_whole(database: str) -> None:
    with pytest.raises(ScriptFailed) as caught:
        await Bench(database).apply({"1": f"{RAISES}\nSELECT f();"})
    failed = caught.value
    assert failed.code == "P0042"
    assert failed.text.splitlines() == [
        "ERROR: no",
        "LINE 6: SELECT f();",
        "DETAIL: why not",
        "HINT: do this",
        "CONTEXT: PL/pgSQL function f() line 3 at RAISE",
    ]


async def test_the_query_inside_of_code_is_told_with_its_caret(database: str) -> None:
    with pytest.raises(ScriptFailed) as caught:
        await Bench(database).apply({"1": "DO $$\nBEGIN\n  PERFORM nope;\nEND $$"})
    assert "QUERY, line 1: SELECT nope\n                      ^" in caught.value.text
    assert "CONTEXT: PL/pgSQL function inline_code_block line 3 at PERFORM" in caught.value.text


def test_a_long_line_is_cut_around_the_caret() -> None:
    line, shown = caret("x\n" + "漢" * 300 + "!" + "y" * 300, 302)
    assert (line, shown) == (2, f"LINE 2: …{'漢' * 50}!{'y' * 49}\n{' ' * 109}^")
