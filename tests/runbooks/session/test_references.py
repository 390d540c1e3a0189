"""References: what they are replaced by, what is missing, and what shell blocks get."""

import pytest
from pydantic import JsonValue

from migrations.problem import Misuse
from runbooks.session.references import check_values, env_variables, resolve, resolve_values, shell_variables, shown
from runbooks.session.runbook import Phase, Runbook, Step

RESULTS: dict[str, dict[str, JsonValue]] = {
    "dump": {"path": "/d/x.dump", "size": 42, "whole": True, "tables": ["a"], "none": None},
    "off-site": {"exit-code": 0, "text": "a\0b", "long": "x" * 9000},
    "nothing": {},
}


def test_references_become_text() -> None:
    params: dict[str, JsonValue] = {
        "url": "${env.app}/dump?name=${dump.path}&size=${dump.size}",
        "json": {"whole": ["${dump.whole}"]},
        "status": 200,
        "money": "$5 $HOME {x}",
    }
    assert resolve(params, RESULTS, {"app": "http://x/${dump.path}"}) == {
        "url": "http://x/${dump.path}/dump?name=/d/x.dump&size=42",
        "json": {"whole": ["true"]},
        "status": 200,
        "money": "$5 $HOME {x}",
    }


def test_shell_text_is_left_to_the_shell() -> None:
    assert resolve({"script": "echo ${HOME} ${dump.path}"}, {}, {}) == {"script": "echo ${HOME} ${dump.path}"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${env.app}", "no value `app`"),
        ("${later.path}", "`later` has no result yet"),
        ("${nothing.path}", "`nothing` has no result yet"),
        ("${dump.pth}", r"no single value `pth`. It has: path, size, whole"),
        ("${dump.tables}", "no single value `tables`"),
        ("${dump.none}", "no single value `none`"),
        ("${dump}", "no single value"),
    ],
)
def test_what_is_missing_is_named(text: str, words: str) -> None:
    with pytest.raises(Misuse, match=words):
        resolve({"url": text}, RESULTS, {})


def test_secrets_are_put_in_by_their_names() -> None:
    params: dict[str, JsonValue] = {"body": {"password": "${secret.SMOKE_PASSWORD}"}}
    assert resolve(params, {"secret": {"SMOKE_PASSWORD": "s3cr3t"}}, {}) == {"body": {"password": "s3cr3t"}}
    with pytest.raises(Misuse, match="SMOKE_PASSWORD is not set, or is no secret of this project"):
        resolve(params, {"secret": {}}, {})


def test_shell_variables() -> None:
    assert shell_variables(RESULTS) == {
        "GONOGO_DUMP_PATH": "/d/x.dump",
        "GONOGO_DUMP_SIZE": "42",
        "GONOGO_DUMP_WHOLE": "true",
        "GONOGO_OFF_SITE_EXIT_CODE": "0",
    }


def test_run_blocks_get_the_values_of_the_environment() -> None:
    assert env_variables({"app": "http://x", "new-app": "n"}) == {
        "GONOGO_ENV_APP": "http://x",
        "GONOGO_ENV_NEW_APP": "n",
    }


COPY = 'echo ${env.c} ${GONOGO_ENV_OTHER:-none} ${GONOGO_ENV_APP} "$GONOGO_ENV_NEW_APP"'


def test_values_are_asked_for_before_anything_runs() -> None:
    calls = [
        Step(
            id="smoke", title="", uses="http.check", effect="reads", params={"url": "${env.app}", "json": ["${env.b}"]}
        ),
        Step(id="copy", title="", uses="shell", effect="outside", params={"script": COPY}),
    ]
    runbook = Runbook(name="x", phases=(Phase(name="smoke", title="Smoke", steps=tuple(calls)),))
    check_values(runbook, "staging", {"app": "a", "b": "b", "new-app": "n"})
    with pytest.raises(Misuse, match=r"staging does not have: `b` \(step smoke\), `new_app` \(step copy\)\."):
        check_values(runbook, "staging", {"app": "a"})


def test_for_display_what_is_known_is_filled_in_and_the_rest_left_as_it_is_written() -> None:
    params: dict[str, JsonValue] = {"url": "${env.app}/${dump.path}", "body": ["${env.gone}"], "script": "${env.app}"}
    assert resolve_values(params, {"app": "http://x/${env.app}"}) == {
        "url": "http://x/${env.app}/${dump.path}",
        "body": ["${env.gone}"],
        "script": "${env.app}",
    }
    text = "of ${dump.path}, ${dump.size} bytes, not ${later.path}, ${dump.tables}, ${off-site.none}, ${}, $HOME"
    assert shown(text, RESULTS) == text.replace("${dump.path}", "/d/x.dump").replace("${dump.size}", "42")


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("GET ${call.a}/health", "https://ana:hunter2@shop/x?token=hunter2", "GET https://ana@shop/x?…/health"),
        ("GET https://${call.a}@shop/", "ana:hunter2", "GET https://${call.a}@shop/"),
        ("GET https://ana:${call.a}@shop/", "hunter2", "GET https://ana:${call.a}@shop/"),
        ("GET https://${call.a}${call.a}@shop/", "hunter2", "GET https://${call.a}${call.a}@shop/"),
        ("mail to ${call.a}", "ana@example.org", "mail to ana@example.org"),
        ("of ${call.a}", "x" * 300, f"of {'x' * 200}…"),
    ],
)
def test_for_display_no_login_and_no_query_is_filled_in(text: str, found: str, expected: str) -> None:
    assert shown(text, {"call": {"a": found}}) == expected
