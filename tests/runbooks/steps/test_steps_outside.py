"""`http.check` and `http.watch` against a real HTTP server, and `shell` with a real shell."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from migrations.problem import Problem
from runbooks.session import events as e
from runbooks.steps import catalogue
from runbooks.steps.base import Doubt
from runbooks.steps.parts.http_call import contains, shown
from runbooks.steps.parts.http_seen import Seen, percentile
from tests.runbooks.steps_context import StepContext

URL = "postgresql://nobody@localhost:1/none"


class Service(ThreadingHTTPServer):
    """Answers from a script: each request takes the next (status, body), the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, str]] = [(200, "fine")]
        self.asked: list[tuple[str, str, str, str]] = []
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        authorization = self.headers.get("Authorization", "")
        self.server.asked.append((self.command, self.path, body, authorization))
        status, text = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if status == 0:
            self.server.go_on.wait(30)
            return
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_HEAD = answer


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield service
    service.go_on.set()
    service.shutdown()
    thread.join()
    service.server_close()


@pytest.fixture
def ctx(tmp_path: Path) -> StepContext:
    return StepContext(URL, tmp_path)


async def test_a_service_that_answers(ctx: StepContext, service: Service) -> None:
    service.answers = [(200, json.dumps({"status": "up", "db": {"ok": True, "n": 3}, "tags": ["a", "b"]}))]
    result = await ctx.run(
        "http.check", url=service.url + "/health?x=1", json={"db": {"ok": True}, "tags": ["a", "b"]}, contains='"up"'
    )
    assert (result.status, result.attempts) == (200, 1)
    assert ctx.outcomes == {"answer": "ok", "status": "ok", "contains": "ok", "json": "ok"}
    assert service.asked == [("GET", "/health?x=1", "", "")]


async def test_what_is_wrong_is_said(ctx: StepContext, service: Service) -> None:
    service.answers = [(503, '{"db": {"ok": 1}} [/bold]')]
    result = await ctx.run("http.check", url=service.url, json={"db": {}}, contains="up", retries=0)
    assert ctx.outcomes == {"answer": "ok", "status": "fail", "contains": "fail", "json": "fail"}
    assert "503 Service Unavailable, not 200" in ctx.found("status").evidence
    assert ctx.found("json").evidence.startswith("the answer is no JSON")
    assert "[/bold]" in ctx.text("note")
    assert result.status == 503


async def test_it_succeeds_at_the_second_try(ctx: StepContext, service: Service) -> None:
    service.answers = [(500, "oh"), (200, "fine")]
    result = await ctx.run("http.check", url=service.url, pause="0s")
    assert (ctx.outcome, result.attempts, len(service.asked)) == ("ok", 2, 2)
    assert "attempt 1: 500 Internal Server Error, not 200" in ctx.text("note")


async def test_a_redirect_is_not_followed(ctx: StepContext, service: Service) -> None:
    service.answers = [(302, "")]
    await ctx.run("http.check", url=service.url, retries=0)
    assert ctx.outcomes["status"] == "fail" and len(service.asked) == 1
    await ctx.run("http.check", url=service.url, status=302)
    assert ctx.outcome == "ok"


async def test_a_slow_service_runs_into_the_timeout(ctx: StepContext, service: Service) -> None:
    service.answers = [(0, "")]
    result = await ctx.run("http.check", url=service.url, retries=1, pause="0s", timeout="100ms")
    assert ctx.found("answer").evidence.startswith("no answer within 0.1 s (GET http://127.0.0.1:")
    assert (result.status, result.attempts) == (None, 2)


async def test_nobody_listens(ctx: StepContext, service: Service) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    await ctx.run("http.check", url=f"http://127.0.0.1:{port}/", retries=0)
    assert ctx.outcomes == {"answer": "fail"}
    assert ctx.found("answer").evidence.startswith("nothing listens there")
    await ctx.run("http.check", url=service.url.replace("http:", "https:"), retries=0)
    assert "no TLS with the server" in ctx.found("answer").evidence


async def test_what_changes_something_is_sent_once_and_not_by_itself(ctx: StepContext, service: Service) -> None:
    kind = catalogue()["http.check"]
    assert (kind.effect_with({}), kind.effect_with({"method": "POST"})) == ("reads", "outside")
    with pytest.raises(ValidationError, match="changes = true"):
        await ctx.run("http.check", url=service.url, method="POST")
    service.answers = [(500, ""), (200, "")]
    result = await ctx.run("http.check", url=service.url, method="POST", changes=True, body={"a": [1]}, pause="0s")
    assert (ctx.outcomes["status"], result.attempts) == ("fail", 1)
    assert service.asked == [("POST", "/", '{"a": [1]}', "")]
    service.answers = [(0, "")]
    await ctx.run("http.check", url=service.url, method="POST", changes=True, pause="0s", timeout="200ms")
    assert ctx.outcome == "fail" and len(service.asked) == 2


async def test_a_password_in_the_url_is_sent_and_never_shown(ctx: StepContext, service: Service) -> None:
    url = service.url.replace("//", "//ana:p%40ss@") + "/x?token=hidden"
    service.answers = [(500, "no")]
    result = await ctx.run("http.check", url=url, retries=1, pause="0s")
    assert service.asked[0][3] == "Basic " + base64.b64encode(b"ana:p@ss").decode()
    everything = f"{ctx.checks}{ctx.said}{ctx.progressed}{result}{catalogue()['http.check'].shows(params(url=url))}"
    assert "p%40ss" not in everything and "p@ss" not in everything and "hidden" not in everything
    assert "//ana@127.0.0.1" in everything
    assert "secret" not in catalogue()["http.check"].shows(params(url="https://a:secret@${env.host}/?t=secret"))


def params(**values: Any) -> Any:
    return catalogue()["http.check"].params.model_validate(values)


@pytest.mark.parametrize("url", ["ftp://a/", "file:///etc/passwd", "http://", "http://a b/", "http://a:99999/", "x"])
def test_only_http(url: str) -> None:
    with pytest.raises(ValidationError, match="the URL") as caught:
        params(url=url)
    assert url not in str(caught.value)


def test_shown() -> None:
    assert shown("https://[::1]:8443/a?b=c") == "https://[::1]:8443/a?…"


@pytest.mark.parametrize(
    "answer, wanted, words",
    [
        ({"a": 1, "b": 2}, {"a": 1}, None),
        ({"a": {"b": [1, {"c": 2, "d": 3}]}}, {"a": {"b": [1, {"c": 2}]}}, None),
        ({"a": 1}, {"a": True}, "a is not True"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b is not 2"),
        ({"a": [1, 2]}, {"a": [1]}, "a is no list of 1"),
        ([1], {"a": 1}, "the answer is no object"),
        ({}, {"a": None}, "the answer has no a"),
    ],
)
def test_containment(answer: Any, wanted: Any, words: str | None) -> None:
    assert contains(answer, wanted) == words


async def test_a_shell_block(ctx: StepContext, tmp_path: Path) -> None:
    result = await ctx.run("shell", script='pwd; echo "$DATABASE_URL" >&2; echo "${nothing-} $-"; cat')
    assert result.exit_status == 0 and ctx.outcome == "ok"
    assert ctx.text().splitlines()[0] == str(tmp_path)
    assert "e" in ctx.text() and "u" in ctx.text()
    assert ctx.text("err") == f"{URL}\n"


async def test_its_environment_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED", "yes")
    ctx = StepContext(URL, tmp_path, environ={"PATH": "/usr/bin:/bin", "GONOGO_DUMP_PATH": "/dumps/x"})
    await ctx.run("shell", script="env")
    names = {line.partition("=")[0] for line in ctx.text().splitlines()}
    target = set(ctx.target.url.libpq_environment())
    assert {"PGHOST", "PGUSER", "PGDATABASE"} <= target
    assert names - {"PWD", "OLDPWD", "_", "SHLVL"} == {"PATH", "GONOGO_DUMP_PATH", *target}


@pytest.mark.parametrize(
    "script, what",
    [
        ("echo one; echo two >&2; echo 'last words' >&2; echo >&2; exit 3", "exit status 3: last words"),
        ("false; echo never", "exit status 1."),
        ("echo $unset; echo never", "unset"),
        ("kill -9 $$", "signal SIGKILL."),
        ("sh -c 'kill -9 $$'; echo never", "exit status 137, as after signal SIGKILL"),
        ("exit 255", "exit status 255."),
        ("printf 'no newline' >&2; exit 4", "exit status 4: no newline"),
    ],
)
async def test_a_failing_block(ctx: StepContext, script: str, what: str) -> None:
    with pytest.raises(Problem) as caught:
        await ctx.run("shell", script=script)
    assert what in caught.value.what
    assert "never" not in ctx.text()


async def test_a_block_that_takes_too_long_is_stopped(ctx: StepContext) -> None:
    with pytest.raises(Problem, match="did not end within 2s and were stopped"):
        await ctx.run("shell", script="echo begun; sleep 60 & wait", timeout="2s")
    assert not group_of(ctx)


async def test_a_cancelled_block_is_stopped(ctx: StepContext) -> None:
    task = asyncio.ensure_future(ctx.run("shell", script="echo begun; sleep 60"))
    async with asyncio.timeout(10):
        while not ctx.text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert group_of(ctx)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not group_of(ctx)


async def test_reconcile_ends_what_still_runs_and_lets_a_person_decide(ctx: StepContext) -> None:
    kind = catalogue()["shell"]
    task = asyncio.ensure_future(ctx.run("shell", "deploy", script="echo begun; sleep 60"))
    async with asyncio.timeout(10):
        while not ctx.text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    start = e.StepStarted(step="deploy", attempt=1, title="D", uses="shell", effect="outside", why="resume")
    assert kind.reconcile is not None
    doubt = await kind.reconcile(ctx, kind.params.model_validate({"script": "x"}), start)
    assert isinstance(doubt, Doubt) and "do not run any more" in doubt.look and "(x)" in doubt.look
    assert not group_of(ctx)
    with pytest.raises(Problem, match="signal SIGTERM"):
        await task


def group_of(ctx: StepContext) -> list[int]:
    """The processes of the recorded group that still run."""
    (_, data), *_ = ctx.recorded
    group = data["group"]
    found = []
    for process in psutil.process_iter(["pid"]):
        try:
            if psutil.os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


async def test_what_is_captured_is_a_secret_unless_it_is_public(ctx: StepContext, service: Service) -> None:
    service.answers = [(200, json.dumps({"data": {"tokens": [{"id": 7, "token": "tok-1234"}]}, "release": "v1"}))]
    place = {"token": "$.data.tokens[0].token", "release": "$.release", "server": "header:Server"}
    result = await ctx.run("http.check", url=service.url, capture=place, public=["release", "server"])
    assert ctx.captured["token"] == ("tok-1234", True)
    assert ctx.captured["release"] == ("v1", False) and result.captured["release"] == "v1"
    assert result.captured["server"].startswith("BaseHTTP") and "token" not in result.captured
    assert ctx.found("capture").outcome == "ok"
    await ctx.run("http.check", url=service.url, capture={"token": "$.data.token"}, retries=0)
    assert "the answer does not have token ($.data.token)" in ctx.found("capture").evidence
    with pytest.raises(Problem, match="captured as id is too short to be kept secret"):
        await ctx.run("http.check", url=service.url, capture={"id": "$.data.tokens[0].id"}, retries=0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"capture": {"a": "token"}}, "must be a place"),
        ({"capture": {"A": "$.a"}}, "cannot be named"),
        ({"public": ["a"]}, "not captured"),
        ({"headers": {"a b": "x"}}, "no name of a header"),
        ({"headers": {"X": "a\nb"}}, "cannot be sent"),
    ],
)
def test_a_wrong_capture_is_a_fault_of_the_document(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        params(url="http://a/", **values)


async def watch(ctx: StepContext, service: Service, length: str = "250ms", **values: Any) -> Any:
    return await ctx.run("http.watch", url=service.url, **{"for": length, "every": "100ms", **values})


async def test_a_watch_counts_what_it_got(ctx: StepContext, service: Service) -> None:
    service.answers = [(200, "fine"), (503, "oh"), (200, "fine")]
    result = await watch(ctx, service, bad_percent=99, slower_than="1h")
    asked = len(service.asked)
    assert asked >= 2 and result.watched_us >= 250_000
    assert (result.answers, result.errors, result.bad) == (asked, 0, 1)
    assert result.by_status == {"200": asked - 1, "503": 1}
    assert 0 < result.p50_us <= result.p95_us <= result.slowest_us
    assert ctx.outcomes == {"answers": "warn", "latency": "ok", "watched": "ok"}
    assert "503 Service Unavailable, not 200" in ctx.text("note") and "anew" not in ctx.text("note")
    assert str(ctx.progressed[-1]["detail"]).startswith(f"{asked} answers (200: {asked - 1}, 503: 1), 1 bad, slowest ")
    service.answers = [(200, "fine")]
    result = await watch(ctx, service, "0s", slower_than="1us")
    assert (result.answers, ctx.outcomes["answers"], ctx.outcomes["latency"]) == (1, "ok", "fail")
    assert "starts anew" in ctx.text("note")


async def test_bad_answers_in_a_row_end_a_watch_at_once(ctx: StepContext, service: Service) -> None:
    service.answers = [(500, ""), (200, "down"), (200, "fine"), (500, ""), (0, "")]
    result = await watch(ctx, service, "30s", bad_in_a_row=3, contains="fine", timeout="100ms")
    assert (len(service.asked), result.bad, result.errors) == (6, 5, 2)
    assert ctx.outcomes == {"answers": "fail", "watched": "warn"}
    assert "3 bad in a row" in ctx.found("answers").evidence
    assert ctx.found("answers").evidence.endswith("the last bad one: no answer within 0.1 s")


async def test_a_share_of_bad_answers_is_red_at_the_end(ctx: StepContext, service: Service) -> None:
    service.answers = [(500, ""), (200, "")]
    await watch(ctx, service)
    assert ctx.outcomes == {"answers": "fail", "watched": "ok"}
    assert "more than 10 % bad" in ctx.found("answers").evidence
    result = await watch(ctx, service, "100ms", every="1h")
    assert (result.answers, ctx.outcomes["watched"]) == (2, "ok"), "the last is asked when the time is over"


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_watch_ends_when_a_person_says_so(ctx: StepContext, service: Service, how: str) -> None:
    task = asyncio.ensure_future(watch(ctx, service, "1h", every="30m"))
    async with asyncio.timeout(10):
        while not ctx.progressed:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return
        ctx.stop_asked = True
        result = await task
    assert (result.answers, ctx.outcomes) == (1, {"answers": "ok", "watched": "warn"})
    assert ctx.found("watched").evidence.endswith("of 1h, a person stopped it")
    assert ctx.progressed[-1]["unit"] == "minutes" and ctx.progressed[-1]["total"] == 60


def test_what_a_watch_takes() -> None:
    model = catalogue()["http.watch"].params
    values = {"url": "${env.app}/", "for": "${env.watch}"}
    kept = model.model_validate(values)
    shows = catalogue()["http.watch"].shows
    assert shows(kept) == "GET ${env.app}/ every 30s for ${env.watch}, expects status 200"
    for wrong, words in {"soon": "is not a length", "2d": "a day at the most"}.items():
        with pytest.raises(ValidationError, match=words):
            model.model_validate({**values, "for": wrong})
    with pytest.raises(ValidationError, match="ten times a second"):
        model.model_validate({**values, "every": "0s"})


def test_percentiles_and_words() -> None:
    hundred = list(range(100, 0, -1))
    assert (percentile(hundred, 50), percentile(hundred, 95), percentile([7], 95), percentile([], 50)) == (
        50,
        95,
        7,
        None,
    )
    assert percentile([1, 2, 3], 50) == 2
    seen = Seen()
    seen.note(200, 85_000, "")
    seen.note(None, 5_000_000, "nothing listens there")
    assert seen.words == "1 answer (200: 1), 1 without an answer, 1 bad, slowest 85 ms"
    seen.note(200, 1_200, "")
    assert (seen.in_a_row, seen.asked, seen.last) == (0, 3, "nothing listens there")
