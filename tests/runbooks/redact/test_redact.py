"""No secret passes, however it is spelled or split; what is not secret passes unchanged."""

import json
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from runbooks.redact import Redactor
from runbooks.session import events as e

PASSWORD = "p@ss/w%rd é\"\\'+ x"
ONE = Redactor({"DATABASE_URL": PASSWORD})
M = "«redacted:DATABASE_URL»"


@pytest.mark.parametrize(
    "spelled",
    [
        PASSWORD,
        quote(PASSWORD, safe=""),
        quote(PASSWORD),
        quote(PASSWORD, safe="@'+!"),
        quote_plus(PASSWORD),
        quote(PASSWORD, safe="").replace("%C3%A9", "%c3%a9").replace("%2F", "%2f"),
        PASSWORD.replace(" ", "%20"),
        json.dumps(PASSWORD)[1:-1],
        json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
        PASSWORD.replace("'", "''"),
        PASSWORD.replace("\\", "\\\\").replace("'", "\\'"),
    ],
)
def test_a_secret_is_found_however_it_is_spelled(spelled) -> None:
    assert ONE.text(f"at {spelled}, end") == f"at {M}, end"
    for split in range(len(spelled) + 1):
        stream = ONE.stream()
        assert (
            stream.feed("at " + spelled[:split]) + stream.feed(spelled[split:] + ", end") + stream.flush()
            == f"at {M}, end"
        )


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgres://ana:hunter2@db/shop", "postgres://ana:«redacted:url-password»@db/shop"),
        (
            "https://:tok@h https://a:b:c@d@h/x",
            "https://:«redacted:url-password»@h https://a:«redacted:url-password»@h/x",
        ),
        ('{"u":"redis://u:p@h","m":"a@b"}', '{"u":"redis://u:«redacted:url-password»@h","m":"a@b"}'),
        ("http://host:8080/path?mail=ana@example.org", "http://host:8080/path?mail=ana@example.org"),
        ("postgres://ana@db:5432/shop and ana@example.org: hi", "postgres://ana@db:5432/shop and ana@example.org: hi"),
        ("postgres://ana:longsecret@db", "postgres://ana:«redacted:X»@db"),
        ("postgres://ana:a-longsecret-b@db", "postgres://ana:«redacted:X»@db"),
    ],
)
def test_passwords_of_urls_that_nobody_named(text, clean) -> None:
    assert Redactor({"X": "longsecret"}).text(text) == clean
    stream = Redactor({"X": "longsecret"}).stream()
    assert "".join(map(stream.feed, text)) + stream.flush() == clean


def test_overlapping_secrets_leave_no_rest() -> None:
    redactor = Redactor({"A": "abcd", "B": "cdefgh", "LONG": "abcd1234"})
    assert redactor.text("xabcdefghx") == "x«redacted:B»x"
    assert redactor.text("abcd1234") == "«redacted:LONG»"
    assert redactor.text("abcdabcd") == "«redacted:A»«redacted:A»"
    assert Redactor({"A": "abab"}).text("ababab-") == "«redacted:A»-"


def test_short_secrets_are_named_and_not_looked_for() -> None:
    redactor = Redactor({"PIN": "123", "EMPTY": "", "KEY": "1234"})
    assert redactor.too_short == ("PIN",)
    assert redactor.text("123 1234") == "123 «redacted:KEY»"


def test_a_key_of_several_lines_is_found_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    redactor = Redactor({"KEY": key})
    assert redactor.text(f"x{key}x") == "x«redacted:KEY»x"
    assert redactor.text("> hkiG9w0BAQEFAASC") == "> «redacted:KEY»"
    assert redactor.text("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_twice_is_once_even_when_the_mark_holds_a_secret() -> None:
    redactor = Redactor({"password": "password", "R": "redacted"})
    once = redactor.text("a password, redacted; x://u:password@h")
    assert once == "a «redacted:password», «redacted:R»; x://u:«redacted:password»@h"
    assert redactor.text(once) == once
    for split in range(len(once)):
        stream = redactor.stream()
        assert stream.feed(once[:split]) + stream.feed(once[split:]) + stream.flush() == once
    assert redactor.text("«redacted:password password»") == "««redacted:R»:«redacted:password» «redacted:password»»"


def test_a_password_behind_a_user_that_is_a_secret_is_taken_out() -> None:
    clean = "://«redacted:X»:«redacted:url-password»@"
    redactor = Redactor({"X": "2222"})
    assert redactor.text("://2222:hunter2@") == clean == redactor.text("://«redacted:X»:hunter2@")


def test_only_what_may_be_a_beginning_is_held_back() -> None:
    stream = Redactor({"A": "hunter2"}).stream()
    assert stream.feed("Password? ") == "Password? "
    assert stream.feed("hunt") == ""
    assert stream.feed("ing") == "hunting"
    assert stream.feed(" postgres") == " postgres"
    assert stream.feed("://ana") == ""
    assert stream.feed(" ") == "://ana "
    assert stream.feed("h") == ""
    assert stream.flush() == "h"


LETTERS = "ab'\\%2@:/ é"
secrets = st.dictionaries(st.sampled_from("XYZ"), st.text(LETTERS, min_size=4, max_size=9), min_size=1)


@settings(deadline=None)
@given(secrets, st.lists(st.text(LETTERS, max_size=12) | st.integers(0, 2), max_size=9), st.data())
@example({"X": "ab%2"}, ["ab%", "25b"], None)
@example({"X": "2222"}, ["://", 0, ":@"], None)
@example({"X": "2222"}, ["://", 0, ":a/b@"], None)
def test_whatever_the_chunking_no_secret_passes_and_the_rest_is_unchanged(named, pieces, data) -> None:
    values = list(named.values())
    whole = "".join(p if isinstance(p, str) else values[p % len(values)] for p in pieces)
    redactor = Redactor(named)
    clean = redactor.text(whole)
    assert not [s for s in values if s in clean]
    assert redactor.text(clean) == clean
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=9))) if data else [1, 2]
    stream = redactor.stream()
    chunks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert "".join(map(stream.feed, chunks)) + stream.flush() == clean


@given(st.text(), st.lists(st.integers(0, 50)))
def test_text_without_secrets_is_unchanged(text, cuts) -> None:
    assume("://" not in text)
    redactor = Redactor({"A": "a secret that is not in there"})
    assert redactor.text(text) == text
    stream = redactor.stream()
    edges = [0, *sorted(c for c in cuts if c <= len(text)), len(text)]
    assert "".join(stream.feed(text[a:b]) for a, b in pairwise(edges)) + stream.flush() == text


def test_many_quotes_do_not_take_forever() -> None:
    assert ONE.text("'" * 50_000 + "\\" * 50_000) == "'" * 50_000 + "\\" * 50_000
    stubborn = Redactor({"A": "\\" * 40 + "'" * 40 + "x", "B": "%25" * 30 + "x"})
    text = "\\" * 70 + "'" * 70 + "y" + "%25" * 90
    assert stubborn.text(text) == text


def test_values_are_cleaned_all_the_way_down() -> None:
    dirty = {"a": [f"1{PASSWORD}", {PASSWORD: 1}], "n": 5, "t": True, "z": None}
    assert ONE.value(dirty) == {"a": [f"1{M}", {M: 1}], "n": 5, "t": True, "z": None}


def test_no_event_carries_a_secret_except_in_our_own_names(events) -> None:
    """Planted in every text of every event that is not a name of ours, a choice or a hash."""
    redactor = Redactor({"S": "hunter2"})
    for event in events:
        assert redactor.event(event) == event
        clean = redactor.event(_planted(event))
        assert type(clean).model_validate(clean.model_dump()) == clean
        assert "hunter2" not in clean.model_dump_json(), event.kind


NAMES = {
    *("id", "uses", "sha256", "session", "head", "commit", "system_identifier", "oid", "timeline", "database"),
    *("rule", "migration", "model", "environment", "project", "project_sha256", "gonogo", "hash", "held_back", "step"),
    *("question", "exact", "choices", "item", "option", "plan", "path", "face", "from_face", "file", "command"),
}


def _planted(value, name=""):
    """The same with the secret in every text that may be anything."""
    match value:
        case e.Frozen():
            over = {k: _planted(getattr(value, k), k) for k in type(value).model_fields if k not in NAMES}
            changed = value.model_copy(update=over)
            try:
                return type(value).model_validate(changed.model_dump())
            except ValueError:  # a choice: plant in the others only
                fixed = {k: v for k, v in over.items() if _fits(value, k, v)}
                return value.model_copy(update=fixed)
        case str():
            return f"{value} hunter2"
        case tuple():
            return tuple(_planted(each) for each in value)
        case dict() if name == "conditions":
            return {k: _planted(v) for k, v in value.items()}
        case dict():
            return {f"{k} hunter2": _planted(v) for k, v in value.items()}
        case list():
            return [_planted(each) for each in value]
        case _:
            return value


def _fits(model, field, value) -> bool:
    if isinstance(model, e.Waived) and field == "subject":
        return False
    try:
        type(model).model_validate({**model.model_dump(), field: value})
    except ValueError:
        return False
    return True


def test_a_password_that_is_a_word_of_ours_breaks_no_reference(events) -> None:
    """`dump`, `go`, `backup`: the ids by which records find each other stay, the texts around them do not."""
    redactor = Redactor({"A": "dump", "B": "backup", "C": "done", "D": "destructive"})
    for event in events:
        clean = redactor.event(event)
        assert type(clean).model_validate(clean.model_dump()) == clean
        for name in ("step", "phase", "end", "item", "subject", "kind", "conditions"):
            if name != "subject" or event.kind != "command_refused":
                assert getattr(clean, name, None) == (
                    getattr(event, name, None) if name != "conditions" else getattr(clean, name, None)
                )
    plan = redactor.event(events[2])
    assert list(plan.conditions) == ["destructive"]
    started = redactor.event(events[4])
    assert (started.step, started.title) == ("dump", "Dump")
