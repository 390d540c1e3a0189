"""The band at the top of every screen: which database this is, and whether it is protected."""

from collections.abc import Sequence
from datetime import timedelta

from textual.content import Content
from textual.widgets import Static

from runbooks.session.events import SessionOpened
from runbooks.session.moved import target_of
from runbooks.session.view import RunView
from tui.printable import one_line
from tui.words import Clock, elapsed, moment

GAP = " · "
LINES = 2
"""Beyond these, what can be said shorter is."""
BREVITY = range(4)

Parts = tuple[tuple[str, ...], tuple[str, ...]]
"""Where this is, and whose it is: one line, or one each."""


class Band(Static):
    """Environment first, then the target, the ticket, the operator, the time. Wraps between parts, cuts none off."""

    ALLOW_SELECT = False

    def __init__(self, clock: Clock) -> None:
        super().__init__("", markup=False)
        self._clock = clock
        self._ways: tuple[Parts, ...] = (((), ()),)
        self._protected = False
        self._mark = ""
        self._recorded = True

    def show(self, view: RunView, mark: str = "", *, recorded: bool = True) -> None:
        """Show whose session this is; and first the mark, where it is not one that goes on now."""
        self._mark, self._recorded = mark, recorded
        ways = tuple(self.parts(view, brief) for brief in BREVITY)
        self.set_class(view.protected, "-protected")
        if (ways, view.protected) != (self._ways, self._protected):
            self._ways, self._protected = ways, view.protected
            self._draw()

    def on_resize(self) -> None:
        """The width decides where it wraps."""
        self._draw()

    def parts(self, view: RunView, brief: int = 0) -> Parts:
        """What it says, in full or more and more briefly."""
        opened = view.opened
        if opened is None:
            return ("gonogo", "waiting for the runner"), ()
        protected = "PROTECTED" if view.protected else "not protected"
        mark = f"{self._mark} · " if self._mark else ""
        where = (f"{mark}{opened.environment.upper()} · {protected}", *_lane(opened, brief), *self._target(view, brief))
        whose = (
            *((opened.runbook.series.brief,) if opened.runbook.series else ()),
            opened.ticket,
            _person(opened.operator.name, brief),
            *(self._counted(view, brief) if self._recorded else ()),
        )
        return _clean(where), _clean(whose)

    def _counted(self, view: RunView, brief: int) -> tuple[str, str]:
        return self._elapsed(view), f"● {view.seq + 1}" + ("" if brief == BREVITY[-1] else " records")

    def _target(self, view: RunView, brief: int) -> tuple[str, ...]:
        opened, target = view.opened, target_of(view)
        project = opened.project if opened else ""
        if target is None:
            return (project, "target not read yet")
        role = "STANDBY" if target.in_recovery else "primary"
        return (project, _address(target.address, brief), f"PG {target.server_version} {role}")

    def _elapsed(self, view: RunView) -> str:
        started = moment(view.started_at)
        until = moment(view.at) if view.ended or self._mark else self._clock()
        return elapsed(until - started if started and until else timedelta())

    def _draw(self) -> None:
        width = max(10, self.content_size.width or self.app.size.width - 2)
        if self.screen.has_class("-flat"):
            words = [part for parts in self._ways[-1] for part in parts]
            first = Content.styled(words[0], _looks(self._protected)) if words else Content("")
            self.update(Content.assemble(first, GAP, GAP.join(words[1:])).truncate(width, ellipsis=True))
            return
        drawn = [_lines(parts, width, protected=self._protected) for parts in self._ways]
        lines = next((lines for lines in drawn if len(lines) <= LINES), drawn[-1])
        self.update(Content("\n").join(lines))


def _lane(opened: SessionOpened, brief: int) -> tuple[str, ...]:
    """That nobody approved what runs here."""
    if opened.emergency is None:
        return ()
    return ("EMERGENCY" if brief else f"EMERGENCY, review owed by {opened.emergency.review_by}",)


def _address(address: str, brief: int) -> str:
    """A socket's directory may be long, and its last part is enough."""
    database, at, host = address.rpartition("@/")
    return f"{database}@…/{host.rpartition('/')[2]}" if brief and at else address


def _person(name: str, brief: int) -> str:
    """Of a mail address, the part before the host may be enough."""
    return f"{name.partition('@')[0]}@…" if brief > 1 and "@" in name else name


def head(words: str, *, protected: bool) -> Content:
    """Environment and protection. Without colours, too, what is protected does not look like the rest."""
    return Content.styled(f" {words} " if protected else words, _looks(protected))


def _looks(protected: bool) -> str:
    return "bold reverse" if protected else "bold"


def _lines(parts: Parts, width: int, *, protected: bool) -> list[Content]:
    where, whose = ([Content(part) for part in half] for half in parts)
    if where:
        where[0] = head(where[0].plain, protected=protected)
    together = _wrap([*where, *whose], width)
    apart = [*_wrap(where, width), *_wrap(whose, width)]
    return apart if 1 < len(apart) <= len(together) else together


def _clean(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one_line(part) for part in parts if part)


def _wrap(parts: Sequence[Content], width: int) -> list[Content]:
    """Lines of whole parts."""
    lines: list[Content] = []
    for part in parts:
        start = part if part.plain.startswith(" ") else Content.assemble(" ", part)
        joined = Content.assemble(lines[-1], GAP, part) if lines else start
        if lines and joined.cell_length <= width:
            lines[-1] = joined
        else:
            lines.append(start)
    return lines
