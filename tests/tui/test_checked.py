"""The forms of a report: for people, for programs, for code hosts."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from migrations.folder import Migration
from migrations.rules import Finding
from runbooks.check.base import Base
from runbooks.check.explain import all_codes, explain
from runbooks.check.impact import facts_of
from runbooks.check.report import Checked, More, Remark, Report
from runbooks.check.sources import File
from runbooks.settings.project import Review
from tests.tui.sarif_shape import faults
from tui.checked.as_json import report_json
from tui.checked.github import annotations
from tui.checked.printed import Form, printed
from tui.checked.sarif import report_sarif
from tui.checked.text import report_lines

TOP = Path("/work tree")
ODD = TOP / "a,b: 100%\n::error::x" / "migration.sql"
PLAIN = TOP / "m" / "20250101000000_x" / "migration.sql"
SAFER = 'CREATE INDEX CONCURRENTLY "i"\n  ON "t" ("c");'


def finding(**over: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": "index-without-concurrently",
        "severity": "warn",
        "statement": 0,
        "line": 3,
        "message": "nobody can write to t until the whole index is built",
        "lock": "SHARE",
        "blocks": "writes",
        "tables": ("t",),
        "instead": "Build it concurrently.",
        "safer_sql": SAFER,
        "source": "https://example.org/x",
    }
    return Finding(**{**values, **over})


def report(*remarks: Remark, **over: Any) -> Report:
    scripts = (
        Checked("20250101000000_x", PLAIN, "ab" * 32, (1, 3, 9), ((9, "it calls f"),)),
        Checked("odd", ODD, "cd" * 32, (1,)),
    )
    values: dict[str, Any] = {"top": TOP, "scripts": scripts, "there": 41, "base": Base("origin/main", "3f2a1bc" * 5)}
    return Report(**{**values, "remarks": remarks, **over})


FULL = report(
    Remark(PLAIN, finding(line=9, severity="note", rule="truncate", safer_sql="", lock="", instead="")),
    Remark(PLAIN, finding()),
    Remark(ODD, finding(severity="stop", message="\x1b[2J 100% sure %0A:\r\nyes, [bold]no[/]", rule="column-drop")),
    Remark(TOP / "m", finding(statement=-1, rule="migration-gone", line=1)),
    Remark(PLAIN, finding(rule="table-drop", allowed="it was moved")),
    Remark(PLAIN, finding(rule="ban-char-\x1bfield", line=2), by="squawk"),
    proven=("replayed: all 41 migrations apply",),
    not_checked=("the client: none is generated",),
)


def test_for_people() -> None:
    lines = list(report_lines(FULL, TOP))
    assert "\n".join(lines) == EXPECTED
    assert all(len(line) <= 100 for line in lines)


EXPECTED = """\
2 of 41 scripts: new or changed since origin/main (3f2a1bc)

m/20250101000000_x/migration.sql
     2  warn  squawk:ban-char-\u241bfield
              nobody can write to t until the whole index is built
              lock     SHARE on t, blocks writes
              instead  Build it concurrently.
              safer    CREATE INDEX CONCURRENTLY "i"
                         ON "t" ("c");
     3  warn  index-without-concurrently
              nobody can write to t until the whole index is built
              lock     SHARE on t, blocks writes
              instead  Build it concurrently.
              safer    CREATE INDEX CONCURRENTLY "i"
                         ON "t" ("c");
     9  note  truncate
              nobody can write to t until the whole index is built

a,b: 100% ::error::x/migration.sql
     3  stop  column-drop
              \u241b[2J 100% sure %0A: yes, [bold]no[/]
              lock     SHARE on t, blocks writes
              instead  Build it concurrently.
              safer    CREATE INDEX CONCURRENTLY "i"
                         ON "t" ("c");

m
     1  warn  migration-gone
              nobody can write to t until the whole index is built
              lock     SHARE on t, blocks writes
              instead  Build it concurrently.
              safer    CREATE INDEX CONCURRENTLY "i"
                         ON "t" ("c");

allowed by a comment in the script
  m/20250101000000_x/migration.sql:3 table-drop because it was moved

4 statements, 3 analysed, 1 not: 20250101000000_x line 9
replayed: all 41 migrations apply
not checked: the client: none is generated
1 stop, 3 warnings, 1 note"""


def test_coverage_of_one_script_needs_no_name() -> None:
    one = report(scripts=FULL.scripts[:1], there=1)
    assert "3 statements, 2 analysed, 1 not: line 9" in list(report_lines(one, TOP))
    shut = report(scripts=(Checked("x", PLAIN, "", fault="UTF-16"),), there=1)
    assert "0 statements, 0 analysed; not read at all: x" in list(report_lines(shut, TOP))


@pytest.mark.parametrize(("level", "fails"), [("stop", True), ("warn", True), ("note", True)])
def test_a_stop_fails_at_every_level(level: Any, fails: bool) -> None:
    assert FULL.fails(level) is fails


def test_what_is_allowed_fails_at_none() -> None:
    only = report(Remark(PLAIN, finding(allowed="yes")))
    assert not only.fails("note") and report(Remark(PLAIN, finding())).fails("warn")
    assert not report(Remark(PLAIN, finding())).fails("stop")


def test_more_adds_and_settles() -> None:
    more = More(remarks=(Remark(PLAIN, finding(rule="new")),), settles=frozenset({"migration-gone"}))
    codes = [remark.code for remark in FULL.with_more(more).remarks]
    assert "new" in codes and "migration-gone" not in codes


def test_for_programs() -> None:
    told = json.loads(report_json(FULL, "0.1.0", 1))
    assert told["counts"] == {"stop": 1, "warn": 3, "note": 1} and told["exit_code"] == 1
    assert told["scripts"][0]["not_analysed"] == [{"line": 9, "why": "it calls f"}]
    assert told["scripts"][0]["file"] == "m/20250101000000_x/migration.sql"
    first = told["findings"][1]
    assert (first["code"], first["line"], first["safer_sql"]) == ("index-without-concurrently", 3, SAFER)
    assert told["findings"][3]["statement"] is None and told["findings"][5]["by"] == "squawk"


def unescaped(line: str) -> tuple[str, Mapping[str, str], str]:
    """A workflow command as GitHub's runner reads it."""
    found = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert found, line
    undo = (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))

    def plain(text: str) -> str:
        for code, char in undo:
            text = text.replace(code, char)
        return text

    properties = dict(part.split("=", 1) for part in found[2].split(","))
    return found[1], {name: plain(value) for name, value in properties.items()}, plain(found[3])


def test_a_pull_request_is_told_the_hardest_locks() -> None:
    text = "UPDATE t SET c = 1;\n" * 300 + "ALTER TABLE t DROP COLUMN c;\n"
    facts = facts_of([File(Migration("m", PLAIN, text.encode()), PLAIN)], Review())
    told = "\n".join(printed(report(scripts=(Checked("m", PLAIN, ""),)), facts, "pr", 0))
    assert "| 301 | `drop column c of t` | ACCESS EXCLUSIVE on `t` | reads and writes |" in told
    assert "| ROW EXCLUSIVE on `t` | writes of the same rows |" in told and "\n251 more, none of them harder" in told


NO_TEXT = Path(b"/work tree/m\xff\x07".decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "pr"])
def test_a_name_that_is_no_text_can_be_printed(form: Form) -> None:
    named = report(Remark(NO_TEXT, finding()), scripts=(Checked(NO_TEXT.name, NO_TEXT, "", fault=NO_TEXT.name),))
    words = "\n".join(printed(named, (), form, 1))
    assert words.encode() and "\x07" not in words


def test_for_github_nothing_breaks_out_of_its_annotation() -> None:
    lines = list(annotations(FULL))
    assert all("\n" not in line and "\r" not in line and "\x1b" not in line for line in lines)
    told = [unescaped(line) for line in lines]
    assert [level for level, _, _ in told] == ["warning", "warning", "notice", "error", "warning", "notice"]
    _, properties, message = told[3]
    assert properties["file"] == "a,b: 100%\n::error::x/migration.sql" and properties["line"] == "3"
    assert "100% sure %0A:" in message and SAFER in message and properties["title"] == "gonogo: column-drop"
    assert "4 statements" in told[-1][2]


def test_for_code_hosts_it_is_sarif() -> None:
    text = report_sarif(FULL, "0.1.0")
    sarif = json.loads(text)
    assert faults(sarif) == []
    assert faults(json.loads(report_sarif(report(), "0.1.0"))) == []
    ours, theirs = sarif["runs"]
    assert [ours["tool"]["driver"]["name"], theirs["tool"]["driver"]["name"]] == ["gonogo", "squawk"]
    results = ours["results"]
    assert {result["level"] for result in results} == {"error", "warning", "note"}
    for result in results:
        assert ours["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    (suppressed,) = [result for result in results if "suppressions" in result]
    assert suppressed["suppressions"] == [{"kind": "inSource", "justification": "it was moved"}]
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results}
    assert "a%2Cb%3A%20100%25%0A%3A%3Aerror%3A%3Ax/migration.sql" in uris
    assert "\\u001b" not in text


def test_a_finding_keeps_its_fingerprint_when_lines_move() -> None:
    def prints(line: int) -> list[str]:
        runs = json.loads(report_sarif(report(Remark(PLAIN, finding(line=line))), "0"))["runs"]
        return [result["partialFingerprints"]["gonogo/v1"] for result in runs[0]["results"]]

    assert prints(3) == prints(30)


@pytest.mark.parametrize("harm", ["level", "runs", "startLine", "kind"])
def test_the_measure_of_sarif_sees_what_is_wrong(harm: str) -> None:
    sarif = json.loads(report_sarif(FULL, "0.1.0"))
    result = sarif["runs"][0]["results"][-1]
    match harm:
        case "level":
            result["level"] = "stop"
        case "runs":
            del sarif["runs"]
        case "startLine":
            result["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
        case "kind":
            result["suppressions"] = [{"justification": "x"}]
    assert faults(sarif)


@pytest.mark.parametrize("code", [code for code, _, _ in all_codes()])
def test_every_code_has_a_page(code: str) -> None:
    page = explain(code)
    assert page.startswith(f"# {code}\n") and "Source: <https://" in page and "](" not in page


def test_the_list_has_every_code_once() -> None:
    codes = [line.split()[1] for line in explain("all").splitlines()]
    assert codes == sorted({code for code, _, _ in all_codes()})
