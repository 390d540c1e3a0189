"""The HTML transcript: well formed, loads nothing, no text becomes markup, and a script is shown only if it is true."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

from runbooks.journal import NAME
from runbooks.report.build import session_parts
from runbooks.report.facts import gather
from runbooks.report.formats import html, rendered
from runbooks.report.html import KeptScripts, Origin, page
from tests.runbooks.conftest import SHA, the_plan
from tests.runbooks.transcript_records import hidden, hostile, recorded, texts


class Page(HTMLParser):
    """Elements with their attributes; fails where a tag is not closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)

    def handle_comment(self, data) -> None:
        raise AssertionError("a comment")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def meta(self, name: str) -> str | None:
        return next(a["content"] for a in self.all("meta") if a.get("name") == name or a.get("http-equiv") == name)


def shown(records, folder: Path = Path("/nowhere")) -> str:
    facts = gather(records)
    origin = Origin(facts.opening.session, len(records), facts.head)
    return "".join(page(session_parts(facts, lambda: records), origin, KeptScripts(folder)))


@given(texts)
def test_text_from_outside_never_becomes_markup_or_control_codes(text) -> None:
    made = shown(hostile(text))
    plain = Page(shown(hostile(re.sub(r"[^\n]", "x", text.replace("\r\n", "\n")))))
    hers = Page(made)
    assert [(tag, list(attrs)) for tag, attrs in hers.elements] == [(tag, list(attrs)) for tag, attrs in plain.elements]
    assert not hidden(made)


def test_nothing_is_loaded_and_nothing_runs(events) -> None:
    made = Page(text := shown(recorded(events)))
    style = re.search(r"<style>(.*)</style>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert made.meta("Content-Security-Policy") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    names = {name for _, attrs in made.elements for name in attrs}
    assert not names & {"style", "src", "srcset", "action", "background"} and not [
        n for n in names if n.startswith("on")
    ]
    assert not {tag for tag, _ in made.elements} & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert all(attrs["href"].startswith("#") for attrs in made.all("a"))
    assert "url(" not in style[1] and "@import" not in style[1]


def test_links_lead_to_what_they_name_and_headings_are_in_order(events) -> None:
    made = Page(shown(recorded(events)))
    ids = [attrs["id"] for _, attrs in made.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for attrs in made.all("a")} <= set(ids)
    levels = [int(tag[1]) for tag, _ in made.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("col", "row") for attrs in made.all("th"))
    assert [len(made.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert {f"r{seq}" for seq in (2, 4, 10, 11, 16, 22, 23, 24)} <= set(ids)


def with_script(text: bytes):
    """A session whose plan has this script."""
    script = the_plan().scripts[0].model_copy(update={"sha256": hashlib.sha256(text).hexdigest(), "verify": None})
    return script, the_plan().model_copy(update={"scripts": (script,)})


@pytest.mark.parametrize(
    ("lies", "told"),
    [
        (b"-- <b>&\nSELECT E'it\\'s' AS \"x\";\n", "migration.sql, 2 lines"),
        (b"SELECT 'another';\n", "has another hash than in the journal"),
        (None, "was not beside the journal when this page was made"),
    ],
)
def test_a_script_is_shown_only_if_it_is_the_one_of_the_journal(write, events, lies, told) -> None:
    script, plan = with_script(b"-- <b>&\nSELECT E'it\\'s' AS \"x\";\n")
    folder = write([events[0], plan, *events[3:]])
    (folder / "scripts").mkdir()
    if lies is not None:
        (folder / "scripts" / f"{script.sha256}.sql").write_bytes(lies)
    made = Page(text := rendered("html", folder / NAME).decode())
    assert told in "".join(made.text)
    kept = script.sha256 if lies and lies.startswith(b"--") else ""
    assert made.meta("gonogo-scripts") == kept
    assert ('<span class="sql-comment">-- &lt;b&gt;&amp;</span>' in text) == bool(kept)
    assert ('<span class="sql-keyword">AS</span>' in text) == bool(kept)
    assert "another&#x27;" not in text
    assert "".join(html(folder / NAME, only=frozenset())).count("was not beside") == 2


def test_no_name_of_a_script_leads_out_of_the_folder(tmp_path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "x.sql").write_text("SELECT 1")
    assert KeptScripts(tmp_path).read("../x") == ("absent", "")
    assert KeptScripts(tmp_path).read(SHA) == ("absent", "")


def test_a_password_in_a_scripts_url_stays_out(tmp_path) -> None:
    text = b"-- postgres://ana:hunter2222@db/orders\n"
    (tmp_path / "scripts").mkdir()
    sha256 = hashlib.sha256(text).hexdigest()
    (tmp_path / "scripts" / f"{sha256}.sql").write_bytes(text)
    state, said = KeptScripts(tmp_path).read(sha256)
    assert state == "kept" and "hunter2222" not in said


def test_the_page_is_made_of_so_many_records(write, events) -> None:
    journal = write(events) / NAME
    assert rendered("html", journal) == rendered("html", journal)
    part = Page("".join(html(journal, records=12)))
    assert part.meta("gonogo-records") == "12" and Page("".join(html(journal))).meta("gonogo-records") == "25"
    assert "NOT ENDED" in "".join(part.text)
