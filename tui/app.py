"""The screen face: it reads what the runner says, draws it, and sends what the person decides."""

import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.keys import format_key
from textual.screen import Screen

from runbooks.history.sessions import Summary
from runbooks.session.commands import Command, lacking
from runbooks.session.view import RunView, as_of
from runbooks.settings.project import Project
from tui.face import Face
from tui.printable import one_line
from tui.screens.base import SessionScreen, Shown
from tui.screens.confirm import Confirm
from tui.screens.help import Help, listed
from tui.screens.home import Chosen, Home
from tui.screens.run import Run
from tui.since import rows_of
from tui.standing import line_to_read_out, phase_title, standing
from tui.theme import DARK, DARK_SHADES, LIGHT, THEMES, VARIABLE
from tui.words import Clock, now

DETACHED = 130
BUG = 70
FRAME_SECONDS = 0.05
TICK_SECONDS = 1.0
KEY_NAMES = {"enter": "enter", "pageup": "page up", "pagedown": "page down"}

Render = Callable[[Path], str]
"""Renders the transcript of a session folder; slow, so called in a thread."""


def kept_transcript(folder: Path) -> str:
    """The transcript as the runner last left it in the session folder."""
    try:
        return (folder / "transcript.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "No transcript has been written yet: it is made from the journal when the session ends or parks."


class Base(App[int]):
    """What both apps have in common: looks, help, the palette."""

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "gonogo"
    BINDINGS = [
        Binding("l", "switch_theme", "Light or dark", id="app.theme", tooltip=f"The other colours; see {VARIABLE}")
    ]

    def __init__(self, keymap: Mapping[str, str] | None = None) -> None:
        super().__init__()
        for theme in THEMES.values():
            self.register_theme(theme)
        self._wanted = os.environ.get(VARIABLE, "")
        self.theme = THEMES.get(self._wanted, DARK).name
        self.set_keymap(dict(keymap or {}))

    def on_mount(self) -> None:
        """A theme that does not exist is said once, and keeps nobody from working."""
        if self._wanted and self._wanted not in THEMES:
            words = f"{VARIABLE} is {one_line(self._wanted)}; it may be {' or '.join(THEMES)}."
            self.notify(words, severity="warning", markup=False)

    def action_switch_theme(self) -> None:
        """The other of the two."""
        self.theme = (LIGHT if self.theme == DARK.name else DARK).name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, whatever theme is on."""
        return DARK_SHADES

    def get_key_display(self, binding: Binding) -> str:
        """A key as it is written on a keyboard, which any terminal can show."""
        modifiers, key = binding.parse_key()
        return "+".join((*modifiers, KEY_NAMES.get(key) or format_key(key)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key of the screen, by name."""
        for keys, binding in (pair for pair in listed(screen) if pair[1].id is not None):
            yield SystemCommand(f"{binding.description} ({keys})", binding.tooltip, self._pressing(binding.key))

    def _pressing(self, key: str) -> Callable[[], None]:
        return lambda: self.simulate_key(key)

    async def on_event(self, event: events.Event) -> None:
        """A key that was pressed for the screen below, or for one that is not drawn yet, does nothing."""
        if isinstance(event, events.Key) and not event.key.startswith("ctrl+") and self._is_stray(event):
            return
        await super().on_event(event)

    def _is_stray(self, event: events.Key) -> bool:
        screen = self.screen_stack[-1] if self.screen_stack else None
        if isinstance(screen, Confirm):
            return screen.take_stray(event)
        return isinstance(screen, Shown) and (screen.shown_at is None or event.time < screen.shown_at)

    def action_help(self) -> None:
        """The keys of the screen that is open."""
        if not isinstance(self.screen, Help):
            self.push_screen(Help(listed(self.screen)))


class Looking(Base):
    """Looks at a session through a face."""

    def __init__(
        self,
        client: Face,
        *,
        clock: Clock = now,
        transcript: Render = kept_transcript,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(keymap)
        self.clock = clock
        self.transcript = transcript
        self.gone = False
        self._client = client
        self._drawn: tuple[int, bool, bool] | None = None

    @property
    def mark(self) -> str:
        """What the band says before all else, where this is not a session as it goes on now."""
        return ""

    @property
    def reviews(self) -> bool:
        """Scripts can be marked as reviewed here: not where all of it is past."""
        return not self.mark

    @property
    def recorded(self) -> bool:
        """There is a session, with a time and records to be counted."""
        return True

    @property
    def view(self) -> RunView:
        """The session as it stands now."""
        return self._client.view

    @property
    def folder(self) -> Path:
        """The session folder."""
        return self._client.folder

    @property
    def has_pen(self) -> bool:
        """This face's commands are taken."""
        return self._client.has_pen

    def draw(self, *, anyhow: bool = False) -> None:
        """Draw the session as it stands, if it has changed since the last frame."""
        if not self.is_running:
            return
        standing_now = (self.view.seq, self.gone, self.has_pen)
        if standing_now == self._drawn and not anyhow:
            return
        self._drawn = standing_now
        self.tell()
        for screen in self.screen_stack:
            if isinstance(screen, SessionScreen) and screen.drawn:
                screen.redraw()

    def tell(self) -> None:
        """Say what has changed, beside what is drawn."""

    # What screens ask for ---------------------------------------------------------------------

    @work
    async def send(self, *commands: Command) -> None:
        """Send commands, one after the other; a refusal is shown with its reason, and is the last."""
        for command in commands:
            refusal = await self._client.send(command)
            if refusal is not None:
                self.notify(one_line(refusal), title="Refused", severity="error", timeout=8, markup=False)
                break
        if names := self._client.taken_out():
            self.notify(one_line(lacking(names)), title="Taken out", severity="warning", timeout=15, markup=False)
        self.draw(anyhow=True)

    def copy(self, text: str, what: str) -> None:
        """Copy a text (OSC 52), and say what it is. tmux hands it on only if it is told to."""
        self.copy_to_clipboard(text)
        where = " (in tmux: set -g set-clipboard on)" if "TMUX" in os.environ else ""
        self.notify(what, title=f"Copied, where the terminal allows it{where}", timeout=8, markup=False)

    def action_copy_line(self) -> None:
        """Copy the line to read out on a call."""
        mark = f"{self.mark} · " if self.mark else ""
        line = mark + one_line(line_to_read_out(self.view, gone=self.gone, keys=not self.mark))
        self.copy(line, line)


class GonogoApp(Looking):
    """Looks at one session through a client. Leaving detaches; it never ends what runs."""

    BINDINGS = [
        Binding(
            "ctrl+c,ctrl+q",
            "detach",
            "Detach",
            id="app.detach",
            priority=True,
            tooltip="Leave from anywhere; the session goes on",
        )
    ]

    def __init__(
        self,
        client: Face,
        *,
        clock: Clock = now,
        transcript: Render = kept_transcript,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(client, clock=clock, transcript=transcript, keymap=keymap)
        self._had_pen = client.has_pen
        self._looked = False
        self._rung = ""
        self._unsigned: tuple[int, str] | None = None
        self._missed: tuple[int, str] | None = None
        self._looked_at = client.view.looked.number if client.view.looked is not None else 0
        self._announced = ""

    @property
    def view(self) -> RunView:
        """The session at this moment: what grows old on the screen, or opens, does so without a record."""
        return as_of(self._client.view, self.clock())

    def on_mount(self) -> None:
        """Follow the session from here on; the clock ticks once a second."""
        self.open()
        self._follow()
        self.set_interval(FRAME_SECONDS, self.draw)
        self.set_interval(TICK_SECONDS, self._tick)

    def open(self) -> None:
        """Show the first screen."""
        self.push_screen(Run(self.clock))

    @work(exit_on_error=True)
    async def _follow(self) -> None:
        """Read the session until it ends, or its runner is gone. What is new is drawn with the next frame."""
        async for _ in self._client.changes():
            pass
        self.gone = self.view.ended is None

    def tell(self) -> None:
        """Who has the pen, what happened meanwhile; once no dialog is open, what logs say and what was not noted."""
        self._tell_of_the_pen()
        self._tell_meanwhile()
        if not isinstance(self.screen, Confirm):
            self._tell_of_signatures()
            self._tell_of_anchors()
            self._tell_of_logs()

    def _tell_of_signatures(self) -> None:
        """That a record could not be signed, once for each."""
        unsigned, told = self.view.unsigned, self._unsigned
        self._unsigned = unsigned
        if unsigned is not None and unsigned != told:
            record, reason = unsigned
            words = f"{one_line(reason)}\nThe session goes on; its record says so."
            self.notify(words, title=f"Record {record} was not signed", severity="warning", timeout=20, markup=False)

    def _tell_of_logs(self) -> None:
        """What the logs had to say of a step that failed, once for each look."""
        looked, told = self.view.looked, self._looked_at
        self._looked_at = looked.number if looked is not None else 0
        if looked is not None and looked.number != told and looked.why == "failed" and not self.gone:
            lines = [line for one in looked.logs for line in (one.words, *one.tail[-1:])]
            words = "\n".join(one_line(line)[:200] for line in lines)
            self.notify(f"{words}\nm shows all of it.", title="The logs, since a step failed", timeout=20, markup=False)

    def _tell_of_anchors(self) -> None:
        """That a head could not be noted somewhere, once for each."""
        missed, told = self.view.missed, self._missed
        self._missed = missed
        if missed is not None and missed != told:
            words = f"{one_line(missed[1])}\nThe session goes on; its record says so."
            title = f"The head of record {missed[0]} was not noted everywhere"
            self.notify(words, title=title, severity="warning", timeout=20, markup=False)

    def _tell_of_the_pen(self) -> None:
        """Whoever loses the pen is told on the spot, by whom and why."""
        had, self._had_pen = self._had_pen, self.has_pen
        taken = self.view.handover
        if had == self._had_pen or taken is None or self.view.ended is not None:
            return
        if self._had_pen:
            self.notify("Your keys count from now on.", title="You have the pen")
        else:
            words = f"{one_line(taken.reason)}\nThis face only watches from now on."
            self.bell()
            self.notify(
                words, title=f"{one_line(taken.by.name)} took the pen", severity="error", timeout=60, markup=False
            )

    def _tell_meanwhile(self) -> None:
        """Once, before anything else: what happened since this operator last looked."""
        told = self._client.meanwhile
        if told is None or self._looked or not (isinstance(self.screen, Run) and self.screen.drawn):
            return
        self._looked = True
        self.push_screen(Confirm(self.view, told.heading, rows_of(told), verb="go on", back="close"))

    def _tick(self) -> None:
        self.draw(anyhow=True)
        self.announce()

    def announce(self) -> None:
        """The terminal's title says how it stands; the bell rings once when a person is wanted."""
        state = standing(self.view, gone=self.gone)
        environment = self.view.opened.environment if self.view.opened else ""
        title = f"{state.glyph} {state.word} · {phase_title(self.view.phase)} · {environment} · gonogo"
        if title != self._announced:
            self._announced = title
            self._write_title(title)
        wanted = f"{state.kind}:{self.view.phase}:{state.about}" if state.waits else ""
        if wanted != self._rung:
            self._rung = wanted
            if wanted:
                self.bell()

    def _write_title(self, title: str) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]2;{one_line(title)}\x07")

    def action_detach(self) -> None:
        """Leave. What runs goes on; a session that has ended gives its exit code."""
        self._write_title("")
        self.exit(self.view.ended.exit_code if self.view.ended else DETACHED)

    async def action_quit(self) -> None:
        """Quitting is detaching."""
        self.action_detach()


class HomeApp(Base):
    """Chooses what to do, when gonogo is called without a command."""

    BINDINGS = [
        Binding("ctrl+c,ctrl+q", "quit", "Leave", id="app.leave", priority=True, tooltip="Leave gonogo, from anywhere")
    ]

    def __init__(self, project: Project, known: Sequence[Summary], keymap: Mapping[str, str] | None = None) -> None:
        super().__init__(keymap)
        self._project = project
        self._known = known
        self.chosen: Chosen | None = None

    def on_mount(self) -> None:
        """One screen."""
        self.push_screen(Home(self._project, self._known), self._choose)

    def _choose(self, chosen: Chosen | None) -> None:
        self.chosen = chosen
        self.exit(0)


def run_home(project: Project, known: Sequence[Summary]) -> Chosen | None:
    """Show the home screen. Returns what was chosen: (`run`, ENV), (`resume`, ID), (`transcript`, ID), or None."""
    go_with_the_terminal()
    app = HomeApp(project, known)
    app.run()
    return app.chosen


async def run_face(client: Face, *, clock: Clock = now, transcript: Render = kept_transcript) -> int:
    """Look at a session until it is left. Returns its exit code, 130 when detached, 70 when the app itself failed."""
    go_with_the_terminal()
    app = GonogoApp(client, clock=clock, transcript=transcript)
    code = await app.run_async()
    return code if code is not None else BUG if app.return_code else DETACHED


def go_with_the_terminal() -> None:
    """End with the terminal, even if SIGHUP came to us ignored: a face that nobody sees would keep the pen for ever."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
