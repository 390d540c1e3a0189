"""The pictures: every screen, at both sizes, dark and light. `pytest --snapshot-update` after a look at each."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from pytest_textual_snapshot import SVGImageExtension
from syrupy import SnapshotAssertion
from textual.pilot import Pilot

from runbooks.session import events as e
from tests.tui import plans
from tests.tui import recorded as r
from tests.tui.test_home import KNOWN, PROJECT
from tui.app import GonogoApp, HomeApp
from tui.theme import DARK, LIGHT

Snap = Callable[..., bool]
SCENES: dict[str, tuple[Callable[[], Sequence[e.Event]], tuple[str, ...], str]] = {
    "run": (r.to_migrate, (), "▶ RUNNING"),
    "waiting": (r.to_waiting, ("2",), "our statement waits for"),
    "detail": (r.to_preflight, ("2",), "GRANT pg_read_all_stats"),
    "review": (plans.to_review, ("v", "f"), "finding 1 of 5"),
    "scripts": (plans.to_review, ("v", "f", "f", "f", "1"), "work-under-exclusive-lock"),
    "statement": (plans.to_review, ("v", "right", "right", "s", "3"), "payments (ACCESS SHARE)"),
    "formatted": (plans.to_review, ("v", "right", "s", "s", "v"), "laid out for reading"),
    "allowed": (plans.to_review, ("v", "a"), "in the vault since January"),
    "hold": (r.past_preflight, ("g",), "type P or Preflight"),
    "held": (r.to_preflight, ("g",), "GO is not possible yet"),
    "confirm": (r.to_backup, ("s",), "enter start it"),
    "rollback": (r.to_migrate, ("b", "down"), "Its steps"),
    "contacts": (r.to_preflight, ("i",), "Troubleshooting"),
    "transcript": (r.to_preflight, ("p",), "NOT ENDED"),
    "help": (r.to_preflight, ("question_mark",), "Start the step that waits"),
}
LARGE_TOO = ("run",)
"""Of these the large picture and the light one are taken each time, of the others by `make soak`."""
TRANSCRIPT = """\
# production · CHG-4821 · NOT ENDED

| | |
|---|---|
| Session | `20260131T020304Z-production-7f3a` [#0] |
| Outcome | **NOT ENDED**: later records may exist, or may have been cut off |
| Target | `orders@db-1.prod:5432`, PostgreSQL `15.8`, identity `7421955110034482133/orders` [#2] |
| Runbook | `production`, SHA-256 `abababababababababababababababababababababababababababababababab` [#0] |

Every statement names its records: `[#12]` is record 12 of the journal. Times are UTC.

## Backup [#4]

### ✔ Dump the database [#5]

- 02:04:04 `dump`, attempt 1: `backup.dump`, changes something outside the database; started on the operator's word [#5]
- 02:04:14 **done**, result ✔ ok, took 1.4 s [#6]

| Result | Check | Id | Evidence | Advice |
|---|---|---|---|---|
| ✔ ok | Programs fit the server | `version` | `pg_dump 15.8, server 15.8` |  |

```json
{ "bytes": 25921 }
```
"""


def pictures() -> Iterator[ParameterSet]:
    """Each scene at both sizes."""
    for scene in SCENES:
        yield pytest.param(scene, (80, 24), id=f"{scene}-80x24")
        marks = () if scene in LARGE_TOO else (pytest.mark.soak,)
        yield pytest.param(scene, (120, 40), id=f"{scene}-120x40", marks=marks)


@pytest.mark.parametrize(("scene", "size"), pictures())
def test_picture(
    snap_compare: Snap,
    snapshot: SnapshotAssertion,
    pytestconfig: pytest.Config,
    tmp_path: Path,
    scene: str,
    size: tuple[int, int],
) -> None:
    events, keys, words = SCENES[scene]
    light = snapshot if scene in LARGE_TOO or pytestconfig.getoption("--soak") else None
    r.keep_scripts(tmp_path)
    plans.keep(tmp_path)
    app = GonogoApp(r.Recorded(tmp_path, *events()), clock=r.clock, transcript=lambda _: TRANSCRIPT)
    assert snap_compare(app, terminal_size=size, run_before=pressing(light, "PRODUCTION", keys, words))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_picture_of_home(snap_compare: Snap, snapshot: SnapshotAssertion, size: tuple[int, int]) -> None:
    app = HomeApp(PROJECT, KNOWN)
    assert snap_compare(app, terminal_size=size, run_before=pressing(snapshot, "Past", ("down",), "ROLLED BACK"))


async def at_rest(pilot: Pilot[int]) -> str:
    """The screen once it does not change any more: what is drawn again in another theme comes in its own time."""
    before = ""
    for _ in range(200):
        await pilot.pause(0.02)
        if (now := pilot.app.export_screenshot()) == before:
            return now
        before = now
    raise AssertionError("it does not come to rest")


def pressing(
    light: SnapshotAssertion | None, first: str, keys: Sequence[str], words: str
) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Presses the keys when the first words are seen, and waits for the last ones.

    The light picture, where one is wanted, is taken here, from the same app: the dark one follows, once this is over.
    """

    async def press(pilot: Pilot[int]) -> None:
        await r.settle(pilot, lambda: first in r.screen_text(pilot.app))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await r.settle(pilot, lambda: words in r.screen_text(pilot.app))
        if light is None:
            await at_rest(pilot)
        else:
            await in_light(pilot, light)

    async def in_light(pilot: Pilot[int], expected: SnapshotAssertion) -> None:
        pilot.app.theme = LIGHT.name
        assert await at_rest(pilot) == expected(name="light", extension_class=SVGImageExtension)
        pilot.app.theme = DARK.name
        await at_rest(pilot)

    return press
