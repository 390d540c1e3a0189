"""The HTML transcript in a real browser: nothing on the console, no request, contrast, keyboard, print."""

import hashlib

import pytest

from runbooks.journal import NAME, Journal
from runbooks.report.formats import rendered
from tests.chromium import Browser, browser
from tests.fix_soak import needs
from tests.runbooks.conftest import Clock, the_plan

pytestmark = pytest.mark.soak

SQL = b"-- why\nALTER TABLE \"orders\" ADD c int DEFAULT 7; SELECT E'it\\'s', 'a';\n"

CONTRAST = """(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return null;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.textContent.trim()) continue;
    const element = walker.currentNode.parentElement;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([ratio, element.outerHTML.slice(0, 80)]);
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory, events):
    """The page of a session with every kind of event, loaded."""
    program = needs("chromium")
    folder = tmp_path_factory.mktemp("page") / "session"
    script = the_plan().scripts[0].model_copy(update={"sha256": hashlib.sha256(SQL).hexdigest()})
    failed = events[10].model_copy(update={"end": "failed", "outcome": "fail"})
    journal = Journal.create(folder, Clock())
    plan = events[2].model_copy(update={"scripts": (script,)})
    for event in (*events[:2], plan, *events[3:10], failed, *events[11:]):
        journal.append(event, sync=False)
    journal.close()
    (folder / "scripts").mkdir()
    (folder / "scripts" / f"{script.sha256}.sql").write_bytes(SQL)
    (folder / "transcript.html").write_bytes(rendered("html", folder / NAME))
    with browser(program, folder.parent / "profile") as opened:
        opened.open((folder / "transcript.html").as_uri())
        yield opened


def test_it_loads_nothing_and_complains_of_nothing(page: Browser) -> None:
    page.ask("1")
    heard = [one["method"] for one in page.heard]
    requests = [one["params"]["request"]["url"] for one in page.heard if one["method"] == "Network.requestWillBeSent"]
    assert len(requests) == 1 and requests[0].startswith("file://")
    assert not {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"} & set(heard)
    assert page.ask("getComputedStyle(document.querySelector('.sql-keyword')).color") != page.ask(
        "getComputedStyle(document.body).color"
    )


def test_its_policy_lets_nothing_run_or_load(page: Browser) -> None:
    page.ask("document.body.insertAdjacentHTML('beforeend', '<img src=data:image/gif;base64,R0lG><p style=color:red>')")
    page.ask("{const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s)}")
    assert page.ask("window.ran") is None
    assert page.ask("document.body.lastElementChild.previousElementSibling.style.length") == 0
    page.ask("document.querySelectorAll('body > img, body > p, body > script').forEach((e) => e.remove())")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_told_from_what_is_behind_it(page: Browser, scheme: str) -> None:
    page.media(scheme=scheme)
    dark = page.ask("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    ratios = page.ask(CONTRAST)
    assert len(ratios) > 200
    assert not [(ratio, text) for ratio, text in ratios if ratio < 4.5]


def test_the_keyboard_reaches_and_opens_what_is_folded(page: Browser) -> None:
    page.ask("document.activeElement.blur()")
    seen = []
    for _ in range(300):
        page.press("Tab")
        seen.append(page.ask("document.activeElement.tagName"))
        if seen[-1] == "SUMMARY":
            break
    assert seen[0] == "A" and seen[-1] == "SUMMARY"
    assert page.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.ask("document.activeElement.parentElement.open") is False
    page.press("Enter")
    assert page.ask("document.activeElement.parentElement.open") is True


def test_what_is_folded_is_printed(page: Browser) -> None:
    page.ask("document.querySelectorAll('details').forEach((d) => { d.open = false })")
    seen = "e.checkVisibility({contentVisibilityAuto: true})"
    unseen = f"[...document.querySelectorAll('details pre')].filter((e) => !{seen}).length"
    assert page.ask(unseen) > 0
    page.media(kind="print", scheme="dark")
    assert page.ask(unseen) == 0
    assert page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_nothing_is_wider_than_a_narrow_window(page: Browser) -> None:
    page.media()
    page.do("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=1, mobile=True)
    assert page.ask("document.documentElement.scrollWidth") <= 360
