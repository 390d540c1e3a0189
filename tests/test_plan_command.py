"""`gonogo plan`: a file that says exactly what a session would make, and nothing that is secret."""

import shutil

import psycopg
import pytest
from fix_command import Gonogo, SmallProject

from migrations.problem import Misuse
from runbooks.approvals.plan_document import PlanDocument
from runbooks.journal import NAME, read

DROP = "20260102000000_drop"


def test_a_plan_is_what_a_session_would_make(gonogo: Gonogo, small: SmallProject) -> None:
    small.migration(DROP, "DROP TABLE old;\n")
    with psycopg.connect(small.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE old (c int); INSERT INTO old VALUES (1)")
    said = gonogo("plan", "here", "--ticket", "CHG-1", "--expires", "8h", cwd=small.folder, env=small.env)
    assert said.code == 0, said.err
    path = next(small.folder.glob("plan-here-*.json"))
    document = PlanDocument.read(path)
    assert path.name == f"plan-here-{document.plan[:8]}.json" in said.err
    assert all(words in said.out for words in ("✘ table-drop, line 1 · loses data", "ticket CHG-1", document.number))
    assert (document.requester.name, document.ticket, len(document.number)) == ("ana@example.org", "CHG-1", 32)
    assert [script.name for script in document.covers.scripts] == ["20260101000000_notes", DROP]
    assert "destructive" in document.conditions
    password = psycopg.conninfo.conninfo_to_dict(small.url)["password"]
    assert str(password).encode() not in path.read_bytes()
    small.answers()
    run = gonogo("run", "here", "--ticket", "CHG-1", "--headless", "--answers", "answers.toml",
                 cwd=small.folder, env=small.env)  # fmt: skip
    (made,) = [r.event for r in read(run.session / NAME) if r.event.kind == "plan_made"]
    assert made.hash == document.plan


def test_another_spelling_of_a_plan_is_none(gonogo: Gonogo, small: SmallProject) -> None:
    stale = small.folder / "p.json.sig"
    stale.write_text("of another plan")
    said = gonogo("plan", "here", "--ticket", "C", "--to", "20260101000000_notes", "--json", "-o", "p.json",
                  cwd=small.folder, env=small.env)  # fmt: skip
    path = small.folder / "p.json"
    assert not stale.exists()
    assert said.out == path.read_text() + "\n"
    good = path.read_bytes()
    for text, words in (
        (good + b"\n", "not canonical"),
        (good.replace(b":", b": ", 1), "not canonical"),
        (good.replace(b'"engine":"native"', b'"engine":"prisma"'), "not that of what it covers"),
        (good[:-1], "no plan of this gonogo"),
        (b"[]", "no plan of this gonogo"),
    ):
        path.write_bytes(text)
        with pytest.raises(Misuse, match=words):
            PlanDocument.read(path)


def test_a_plan_is_for_a_ticket_and_not_for_ever(gonogo: Gonogo, small: SmallProject) -> None:
    for arguments, words in (
        ((), "change ticket"),
        (("--ticket", "C", "--expires", "31d"), "30 days"),
        (("--ticket", "C", "--expires", "soon"), "length of time"),
        (("--ticket", "C", "--to", "x"), "no migration x"),
    ):
        said = gonogo("plan", "here", *arguments, cwd=small.folder, env=small.env)
        assert (said.code, words in said.err) == (2, True), said.err
    assert not list(small.folder.glob("plan-*"))
    small.answers(go={"backup": True}, waivers={"ledger": "see SMALL_URL"})
    said = gonogo("plan", "here", "--ticket", "C", "--answers", "answers.toml", cwd=small.folder, env=small.env)
    assert (said.code, "answers.toml lacks: [go] preflight; [go] migrate;" in said.err) == (1, True), said.err
    small.answers(waivers={"ledger": f"as {small.url} says"})
    said = gonogo("plan", "here", "--ticket", "C", "--answers", "answers.toml", cwd=small.folder, env=small.env)
    assert (said.code, "answers.toml holds a secret: " in said.err) == (1, True), said.err
    assert not list(small.folder.glob("plan-*"))
    for migration in (small.folder / "migrations").iterdir():
        shutil.rmtree(migration)
    said = gonogo("plan", "here", "--ticket", "C", cwd=small.folder, env=small.env)
    assert (said.code, "there is nothing to approve" in said.err) == (0, True), said.err
    assert not list(small.folder.glob("plan-*"))
