"""The transcript: same journal, same bytes; nothing from outside becomes structure; every claim names its record."""

import re

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from migrations.problem import Problem
from runbooks.journal import NAME, read
from runbooks.report.facts import gather
from runbooks.report.markdown import ticket_summary, transcript
from runbooks.report.summary import UNDONE
from runbooks.session import events as e
from tests.runbooks.conftest import ANA, FILE, walk
from tests.runbooks.transcript_records import FAILURE, NASTY, hidden, hostile, recorded, texts

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def structure(markdown: str) -> list[str]:
    """What the page is made of, without its texts."""
    found = []
    for token in MARKDOWN.parse(markdown):
        content = token.content.strip() if token.type == "html_block" else ""
        found.append(f"{token.type} {token.tag} {content}")
        children = [c.type for c in token.children or []]
        found += [kind for kind in children if kind not in ("text", "code_inline")]
    return found


@settings(deadline=None)
@given(texts)
def test_text_from_outside_never_becomes_structure_or_control_codes(text) -> None:
    shown = transcript(hostile(text))
    plain = re.sub(r"[^\n]", "x", text.replace("\r\n", "\n"))
    same = transcript(hostile(plain))
    assert structure(shown) == structure(same)
    assert not hidden(shown)
    summary = ticket_summary(hostile(text))
    assert summary.count("\n") <= 12 + UNDONE
    assert not hidden(summary) and "\t" not in summary


def test_the_same_journal_gives_the_same_bytes(write, events) -> None:
    records = list(read(write(events) / NAME))
    text = transcript(records)
    assert transcript(iter(records)) == text
    assert records[-1].hash in text
    assert text.endswith("\n") and "\n\n\n" not in text


def test_every_record_is_told_and_named(events) -> None:
    """Each record's number stands in the transcript, and so does what it says."""
    text = transcript(recorded(events))
    for seq, event in enumerate(events):
        assert re.search(rf"#{seq}\b", text), (seq, event.kind)
    for words in (
        *(
            "wait for the batch",
            "postponed",
            "shift over",
            "nobody looked",
            "not open",
            "vault",
            "a rehearsal",
            "known",
        ),
        *("Which?", "/dumps/x.dump", "ACCESS EXCLUSIVE", 'drop column "legacy_code" of orders', "journal.torn-1"),
        *("orders@db-1.prod:5432", "1.5 s", "as claimed"),
    ):
        assert words in text, words


def test_the_summary_fits_on_a_screen_and_comes_first(events) -> None:
    many = [
        *events[:12],
        *[events[11].model_copy(update={"reason": "r" * 500, "subject": f"s{n}"}) for n in range(40)],
        *[events[16].model_copy(update={"what": what}) for what in ("no_go", "no_go", "stop", "cancel", "end")],
        *events[12:],
    ]
    summary = transcript(recorded(many)).partition("\n## ")[0]
    assert summary.count("\n") < 40
    assert max(map(len, summary.splitlines())) < 800
    told = ("**NO-GO** in backup", "and 38 more waivers", "a running step was told to stop", "exit code 1", "backup GO")
    for words in (*told, "**protected**", "CHG-4821", "1 not analysed", "1 stop, **loses data**"):
        assert words in summary, words
    assert "the pen was taken over" in summary and "more sorts of deviation" in summary
    assert summary.index("What deviated") < summary.index("| Outcome |")


def test_an_unattended_session_says_so_at_the_top(events) -> None:
    def by_file(event):
        return event.model_copy(update={"by": FILE}) if getattr(event, "by", None) else event

    answers = e.AnswersFile(file="answers.toml", sha256="cd" * 32)
    headless = events[1].model_copy(update={"sort": "headless"})
    opened = events[0].model_copy(update={"answers": answers})
    text = transcript(recorded([opened, headless, *map(by_file, events[2:])]))
    line = "Unattended: 1 tick, 1 review, 1 waiver, 1 not applicable, 1 GO from answers.toml; no person watched"
    assert text.splitlines()[2] == f"**{line}**"
    assert line in ticket_summary(recorded([opened, headless, *map(by_file, events[2:])]))
    assert "Unattended" not in transcript(recorded(events))


def resumed(answers: e.AnswersFile | None) -> e.SessionResumed:
    return e.SessionResumed(gonogo="0.1.0", host="h", pid=7, by=FILE, answers=answers)


def test_answers_that_were_given_at_a_resume_are_named_at_the_top(events) -> None:
    first, second = (e.AnswersFile(file=f"{name}.toml", sha256=name * 64) for name in "ab")
    screen, headless = events[1], events[1].model_copy(update={"sort": "headless"})
    rest = [event.model_copy(update={"by": FILE}) if getattr(event, "by", None) else event for event in events[2:]]
    numbers = "1 tick, 1 review, 1 waiver, 1 not applicable, 1 GO"
    for opened, face, taken_up, said in (
        (None, screen, second, "b.toml; a screen was attached at times"),
        (first, headless, second, "a.toml and b.toml; no person watched"),
        (first, headless, first, "a.toml; no person watched"),
        (None, headless, None, "a file that no record names; no person watched"),
    ):
        begun = [events[0].model_copy(update={"answers": opened}), face]
        text = transcript(recorded([*begun, resumed(taken_up), headless, *rest]))
        assert text.splitlines()[2] == f"**Unattended: {numbers} from {said}**"
        for seq, file in ((0, opened), (2, taken_up)):
            assert file is None or f"`{file.file}`, SHA-256 `{file.sha256}` [#{seq}]" in text.partition("\n## ")[0]


def test_a_person_with_an_answers_file_was_there_all_the_same(events) -> None:
    file = e.AnswersFile(file="a.toml", sha256="a" * 64)
    text = transcript(recorded([events[0].model_copy(update={"answers": file}), *events[1:], resumed(file)]))
    assert "Unattended" not in text and f"| Answers | `a.toml`, SHA-256 `{'a' * 64}` [#0]" in text


def test_what_did_not_happen_is_told_too(events) -> None:
    """A session that was cut off: a step without an end, no end of its own, phases never opened, no plan."""
    text = transcript(recorded([events[0], events[3], events[4]]))
    assert "NOT ENDED" in text
    assert "no end in the journal" in text
    assert "never reached" in text
    assert "**Never opened**: Preflight, Migrate, Verify, Deploy, Smoke." in text
    assert "cannot be excluded" in text
    with pytest.raises(Problem, match="no record"):
        transcript([])


def test_long_output_keeps_its_beginning_and_its_end(events) -> None:
    lines = [f"line {n}" for n in range(5000)]
    batches = [
        events[5].model_copy(update={"text": "\n".join(lines[n : n + 100]) + "\n"}) for n in range(0, len(lines), 100)
    ]
    text = transcript(recorded([*events[:5], *batches, *events[10:]]))
    shown = re.findall(r"^#\d+ out \| line (\d+)$", text, re.MULTILINE)
    assert list(map(int, shown)) == [*range(100), *range(4700, 5000)]
    assert "(4600 lines left out here; the journal has them, records #6 to #51)" in text
    assert "output, 5000 lines [#5 to #54]" in text


def test_no_line_of_output_passes_for_another(events) -> None:
    """Each line of output carries its record; a faked one carries it twice."""
    faked = events[5].model_copy(update={"text": "#99 out | all is well\n[#98] **GO**"})
    text = transcript(recorded([*events[:5], faked, events[10]]))
    assert "#5 out | #99 out | all is well" in text
    assert "#5 out | [#98] **GO**" in text


def test_a_failed_step_shows_why(events) -> None:
    ended = events[10].model_copy(
        update={"end": "failed", "outcome": "fail", "failure": FAILURE, "advice": ("lock timeout: try later",)}
    )
    text = transcript(recorded([*events[:10], ended]))
    for words in (
        "It broke.",
        "Mend it.",
        "55P03",
        "ERROR:  lock",
        "lock timeout: try later",
        "a step ended failed: `dump` [#10]",
    ):
        assert words in text, words


def test_a_plan_that_is_read_again_is_one_line(events) -> None:
    text = transcript(recorded([*events[:3], events[2], events[2].model_copy(update={"hash": "cd" * 32})]))
    assert text.count("### Plan") == 2
    assert "The plan was read again: the same" in text


def test_a_rollback_has_a_chapter_of_its_own(events) -> None:
    opened = e.PhaseOpened(phase="rollback", option="restore")
    text = transcript(recorded([*events[:4], opened, e.SessionEnded(outcome="rolled_back", exit_code=1)]))
    assert "## Rollback: Restore from the backup [#4]" in text
    assert "ROLLED BACK" in text


def test_the_ticket_lines_are_few_and_hold_the_head(events) -> None:
    lines = ticket_summary(recorded(events)).splitlines()
    assert len(lines) <= 18
    undone = lines.index("20260301_drop (loses data) is undone by")
    assert lines[undone + 3 : undone + 5] == ["    # How", "    Copy `legacy_code` back | from the dump."]
    assert lines[0] == "gonogo NO-GO (exit 1): production, CHG-4821"
    assert lines[-1] == f"Record #24, head {24:064x}"


@pytest.mark.parametrize("text", NASTY)
def test_the_session_before_is_named_with_the_times_that_were_shown(events, text: str) -> None:
    assert "| Before | no earlier session on this environment was found [#0] |" in transcript(recorded(events))

    def shown(name: str) -> str:
        took = {name: e.Took(session=name, us=252_000_000), "side": e.Took(session="older", us=1_500_000)}
        before = e.Previous(session=name, head="cd" * 32, took=took)
        return transcript(recorded([events[0].model_copy(update={"previous": before}), *events[1:]]))

    (line,) = [line for line in shown("before").splitlines() if line.startswith("| Before |")]
    assert line == (
        f"| Before | session `before`, head `{'cd' * 32}`; the last time `before` took 4 min 12 s; "
        "`side` took 1.5 s in `older` [#0] |"
    )
    assert structure(shown(text)) == structure(shown(re.sub(r"[^\n]", "x", text.replace("\r\n", "\n"))))


def test_a_plan_tells_locks_sizes_coverage_and_all_that_is_allowed(events) -> None:
    text = transcript(recorded(events))
    for words in (
        "| `orders` | `41 million rows, 5 GB` | `3 indexes`, `5 triggers` |",
        "| 1 | 1 | `ACCESS EXCLUSIVE` | `orders` | `reads and writes` | `rewrite` | `up to 4.2 s` |",
        "guessed from the size, not rehearsed",
        "2 statements, 1 analysed, 1 not: line 2",
        "**not analysed**: `f is not looked into`",
        "- **not read**: `it was busy`",
        "*on this target*",
    ):
        assert words in text, words
    listed = "- `drop-column` in `20260301_drop`, line 1 **loses data**: `nothing reads it since March`"
    assert f"Allowed by a comment in the script:\n\n{listed}" in text


def test_what_a_verify_sql_asks_stands_with_its_script() -> None:
    text = transcript(recorded(walk()))
    assert "Beside it `verify.sql`, SHA-256" in text
    assert "- `line 9: it locks rows`\n- `and 1 more`" in text
    assert "| 1 | SELECT count" in text


def test_what_undoes_a_script_stands_with_it() -> None:
    text = transcript(recorded(walk()))
    assert "- **cannot be used**: `rollback.sql: it was torn`" in text
    assert "How it is undone: `rollback.md`, SHA-256 `efef" in text and "Copy `legacy_code` back | from" in text
    assert "##### The script that undoes it: `20260301_drop/rollback.sql`" in text
    assert "add column legacy\\_code" in text or "add column legacy_code" in text


def test_an_end_that_was_recorded_late_is_named_where_the_step_began(events) -> None:
    other = events[4].model_copy(update={"step": "apply", "title": "Apply"})
    text = transcript(recorded([*events[:5], other, events[10]]))
    assert "**no end here**: it was only recorded later [#6]" in text
    assert "- a step has no end in the journal: `apply` [#5]" in text


def test_whatever_was_not_as_the_runbook_has_it_is_told_the_worst_first(events) -> None:
    assert [(words, found.seqs) for words, found in gather(recorded(events)).worst_first] == [
        ("a step's end was not known after a crash", [20]),
        ("the pen was taken over", [22]),
        ("a torn line of the journal was set aside", [21]),
        ("a step's result was warn", [10]),
        ("a tick was taken back", [13]),
        ("a command was refused", [17]),
        ("the session was parked", [19]),
        ("the session was resumed", [20]),
    ]


@pytest.mark.parametrize("after", [(), (e.ItemUnticked(item="offsite", by=ANA),)], ids=["it stands", "taken back"])
def test_what_does_not_apply_is_told_apart_from_waivers(events, after: tuple[e.Event, ...]) -> None:
    records = recorded([*events[:15], *after])
    in_ticket = "Not applicable: offsite (a rehearsal)" in ticket_summary(records)
    line = "- **Not applicable** `offsite`: `a rehearsal`, by `ana@example.org`, at the keyboard [#14]"
    assert in_ticket == (line in transcript(records)) == (not after)
    assert "Waived: dump/size (known)" in ticket_summary(records)


def test_a_pen_that_nobody_had_is_told_where_another_than_the_operator_got_it(events) -> None:
    eve = ANA.model_copy(update={"name": "eve@example.org"})
    came = [e.FaceAttached(face=f"screen-1-{n}", sort="screen", pen=pen, by=by)
            for n, (pen, by) in enumerate(((True, ANA), (False, eve), (True, eve)))]  # fmt: skip
    found = gather(recorded([events[0], *came])).deviations
    assert {words: one.seqs for words, one in found.items()} == {"the pen was with another than the operator": [3]}
