"""Plain text of 80 columns, recordings, and whether a page is what the journal gives."""

import json
import re
import tracemalloc
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given

from migrations.problem import Misuse
from runbooks.journal import NAME
from runbooks.report.build import session_parts
from runbooks.report.cast import cast
from runbooks.report.compare import compare_page
from runbooks.report.facts import gather
from runbooks.report.formats import FORMATS, html, render, rendered
from runbooks.report.text import text as as_text
from runbooks.report.wrap import width, wrapped
from tests.runbooks.conftest import ANA, the_plan
from tests.runbooks.transcript_records import hidden, hostile, recorded, texts


def plain(records) -> str:
    return "".join(as_text(session_parts(gather(records), lambda: records)))


@given(texts)
def test_no_text_breaks_the_lines_of_a_mail_or_acts_on_a_terminal(text) -> None:
    records = hostile(text)
    shown = plain(records)
    assert not hidden(shown) and max(map(width, shown.splitlines())) <= 80
    lines = [json.loads(line) for line in "".join(cast(records)).splitlines()]
    said = "".join(data for _, code, data in lines[1:] if code == "o")
    assert not hidden(said.replace("\r\n", "\n")) and not hidden(lines[0]["title"])


def test_the_text_tells_what_the_other_forms_tell(events) -> None:
    shown = plain(recorded(events))
    for words in (
        '- NO-GO in backup: "wait for the batch", by ana@example.org, at the keyboard\n  [#16]',
        "Outcome      NO-GO, exit code 1: postponed [#24]",
        '- Result: ⚠ warn; Check: Size; Id: size; Evidence: "small | odd"; Advice: look',
        "    #5 out | dumping é␛[2J\U0001f600",
    ):
        assert words in shown, words


@pytest.mark.parametrize("before", range(64, 70))
def test_no_line_of_output_that_is_too_long_passes_for_another(events, before) -> None:
    faked = events[5].model_copy(update={"text": "x" * before + "    #99 out | all is well"})
    shown = plain(recorded([*events[:5], faked, events[10]]))
    assert "all is well" in shown and not re.search(r"^ *#99 out", shown, re.MULTILINE)


def test_a_recording_keeps_the_times_of_the_journal(events) -> None:
    records = recorded(events)
    header, *lines = [json.loads(line) for line in cast(records)]
    assert header["version"] == 3 and set(header["term"]) == {"cols", "rows"} and header["idle_time_limit"] == 2
    assert header["timestamp"] == 1769824800
    assert [code for _, code, _ in lines if code != "o"] == ["m", "x"] and lines[-1][1:] == ["x", "1"]
    assert sum(interval for interval, _, _ in lines) == 24.0
    said = "".join(data for _, code, data in lines if code == "o")
    assert "▶ Dump\r\n" in said and "NO-GO backup: wait for the batch\r\n" in said and "took the pen" in said
    assert said.count("\n") == said.count("\r\n")


def test_a_clock_that_was_set_back_gives_no_negative_times(events) -> None:
    records = recorded(events)
    records[9:] = [replace(record, at="2026-01-30T02:00:00.000000Z") for record in records[9:]]
    assert min(json.loads(line)[0] for line in list(cast(records))[1:]) == 0


@pytest.fixture
def folder(write, events):
    made = write(events)
    (made / "transcript.html").write_bytes(rendered("html", made / NAME))
    return made


def test_a_page_is_the_same_as_long_as_no_byte_of_it_is_another(folder) -> None:
    page = folder / "transcript.html"
    assert compare_page(page, folder / NAME).state == "same"
    page.write_bytes(page.read_bytes().replace(b"shift over", b"shift 0ver"))
    comparison = compare_page(page, folder / NAME)
    assert comparison.state == "different"
    first, there, again = comparison.lines
    assert "first difference in line" in first and "shift 0ver" in there and "shift over" in again


def test_a_page_cut_short_or_continued_is_another(folder) -> None:
    page = folder / "transcript.html"
    whole = page.read_bytes()
    for other in (whole[:-1], whole + b"<p>", whole.replace(b"\n", b"\r\n")):
        page.write_bytes(other)
        assert compare_page(page, folder / NAME).state == "different"


def test_a_page_made_on_the_way_is_compared_with_the_records_of_then(folder) -> None:
    page = folder / "transcript.html"
    page.write_text("".join(html(folder / NAME, records=20)))
    assert compare_page(page, folder / NAME).lines[1] == "the journal has 5 more records, which came after it"


def test_a_page_of_another_journal_or_of_more_records_cannot_be_made_again(folder, write, events) -> None:
    page = folder / "transcript.html"
    other = write([events[0].model_copy(update={"ticket": "CHG-1"}), *events[1:]])
    assert "another journal" in compare_page(page, other / NAME).lines[0]
    shorter = write(events[:9])
    assert "25 records, and this journal has 9" in compare_page(page, shorter / NAME).lines[0]


@pytest.mark.parametrize("records", ["-1", "0", "9" * 30, "x", ""])
def test_what_is_no_page_of_ours_is_refused(folder, records) -> None:
    page = folder / "transcript.html"
    told = 'name="gonogo-records" content="{}"'
    page.write_text(page.read_text().replace(told.format(25), told.format(records)))
    with pytest.raises(Misuse, match="no transcript"):
        compare_page(page, folder / NAME)


def test_a_page_with_a_redacted_copy_of_a_script_can_be_made_again(write, events) -> None:
    copy = b"ALTER ROLE ana PASSWORD '\xc2\xabredacted:password\xc2\xbb';"
    script = the_plan().scripts[0].model_copy(update={"copy_sha256": sha256(copy).hexdigest(), "verify": None})
    folder = write([*events[:2], the_plan().model_copy(update={"scripts": (script,)}), *events[3:]])
    kept = folder / "scripts" / f"{script.sha256}.sql"
    kept.parent.mkdir()
    kept.write_bytes(copy)
    page = folder / "transcript.html"
    page.write_bytes(rendered("html", folder / NAME))
    assert "«redacted:password»" in page.read_text()
    assert compare_page(page, folder / NAME).state == "same"
    kept.write_bytes(copy + b"-")
    (missing,) = compare_page(page, folder / NAME).lines
    assert script.sha256 in missing and "was altered" in missing


def test_a_wide_character_takes_two_columns_and_a_combining_one_none() -> None:
    assert [width(text) for text in ("abc", "日本", "e\u0301", "😀")] == [3, 4, 1, 2]
    assert list(wrapped("日本語 日本語", "- ", "  ", columns=9)) == ["- 日本語", "  日本語"]
    assert list(wrapped("日本語日本語", "- ", "  ", columns=8)) == ["- 日本語", "  日本語"]


def test_what_was_recorded_meanwhile_is_left_for_the_next_time(events) -> None:
    records = recorded(events)
    then = plain(records[:12])
    assert "".join(as_text(session_parts(gather(records[:12]), lambda: records))) == then


def long_session(events, outputs: int):
    """A session with a long output in its middle, and many small records after it."""
    batch = events[5].model_copy(update={"text": "a line of output\n" * 10})
    refused = events[17].model_copy(update={"by": ANA})
    return [*events[:5], *[batch] * outputs, *events[6:17], *[refused] * 50, *events[18:]]


@pytest.mark.soak
def test_a_long_session_is_rendered_without_being_held(write, events) -> None:
    sizes = []
    for outputs in (200, 2000):
        journal = write(long_session(events, outputs)) / NAME
        peaks = []
        for form in FORMATS:
            tracemalloc.start()
            for _ in render(form, journal):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        sizes.append(peaks)
    assert all(long < short * 1.5 + 500_000 for short, long in zip(*sizes, strict=True)), sizes
