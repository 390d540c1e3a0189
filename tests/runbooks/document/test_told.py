"""What a runbook shows to the operator of one environment, from the document to the record of a session."""

import pytest
from fix_live import Live, shell, write

from runbooks.document import read_runbook
from runbooks.document.told import told_for
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session.runbook import Runbook, Step
from runbooks.session.view import RunView, StepView
from runbooks.steps import catalogue

CALL = """```toml step
id = "{id}"
uses = "http.check"
url = "{url}"
```

"""
PHASES = ("Backup", "Preflight", "Migrate", "Verify", "Deploy", "Smoke")


def smoke(body: str) -> Runbook:
    text = "# x\n\n" + "".join(f"## {name}\n\n{body if name == 'Smoke' else ''}\n" for name in PHASES)
    return read_runbook(text, catalogue=catalogue())


def told(url: str, **values: str) -> Step:
    """The step that calls `url`, as it is told with these values."""
    (step,) = told_for(smoke(CALL.format(id="call", url=url)), values, catalogue()).phases[5].steps
    assert step.params["url"] == url, "what runs is what is written"
    return step


@pytest.mark.parametrize(
    ("url", "app", "expected"),
    [
        ("${env.app}/health", "https://shop.example.org", "GET https://shop.example.org/health, expects status 200"),
        ("${env.none}/health", "https://shop", "GET ${env.none}/health, "),
        ("${env.app}/health", "no address", "GET ${env.app}/health, "),
        ("${env.app}/?key=1", "https://shop", "GET https://shop/?…, "),
        ("${env.app}", "https://shop/?key=hunter2", "GET https://shop/?…, "),
        ("https://${env.app}@shop/x", "ana:hunter2", "GET https://ana@shop/x, "),
        ("https://ana:${env.app}@shop/x", "hunter2", "GET https://ana@shop/x, "),
    ],
)
def test_an_address_is_told_with_the_environments_values_and_without_its_secrets(
    url: str, app: str, expected: str
) -> None:
    step = told(url, app=app)
    assert step.shows.startswith(expected)
    assert "hunter2" not in step.shows


def test_a_shell_block_is_told_as_it_is_written() -> None:
    book = smoke(shell("look", "echo ${env.app}"))
    assert told_for(book, {"app": "x"}, catalogue()) == book
    echo = smoke(shell("look", "echo ${env.app} ${dump.path}")).phases[5].steps[0]
    assert RunView(steps={"dump": StepView(result={"path": "/d"})}).shows(echo) == "echo ${env.app} ${dump.path}"


async def test_the_record_holds_what_is_told_and_what_is_found_is_filled_in_as_it_comes(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    calls = CALL.format(id="one", url="${env.app}/one") + CALL.format(id="two", url="${one.url}/two")
    write(live, backup=calls)
    file = live.small.folder / "gonogo.toml"
    values = 'app = "http://127.0.0.1:9/hunter2-hunter2"\n'
    named = file.read_text().replace('name = "small"', 'name = "small"\nsecrets = ["API_KEY"]')
    file.write_text(f"{named}[environments.here.values]\n{values}")
    await live.start()
    view = await live.until(lambda view: view.phase == "backup")
    one, two = view.runbook.phases[0].steps
    clean = "http://127.0.0.1:9/«redacted:API_KEY»"
    assert view.shows(one).startswith(f"GET {clean}/one, expects")
    assert two.shows.startswith("GET ${one.url}/two, expects")
    opened = live.events[0]
    assert isinstance(opened, e.SessionOpened) and opened.runbook == view.runbook
    view = await live.until(lambda view: view.step("one").status == "ended")
    assert view.shows(two).startswith(f"GET {clean}/one/two, expects")
    await live.do(c.EndSession(reason="seen"))


def test_commands_of_the_environment_are_told_beside_the_block_that_runs_them() -> None:
    block = '```sh run id="deploy" title="Deploy"\neval "$GONOGO_ENV_DEPLOY"\n```\n'
    book = told_for(smoke(block), {"deploy": "npm run deploy", "app": "http://x"}, catalogue())
    assert book.phases[5].steps[0].shows == 'eval "$GONOGO_ENV_DEPLOY"\nGONOGO_ENV_DEPLOY is: npm run deploy'
