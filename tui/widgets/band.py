"""The band at the top of every screen: which database this is, and whether it is protected."""

from collections.abc import Sequence
from datetime import timedelta

from textual.content import Content
from textual.widgets import Static

from runbooks.view import RunView
from tui.printable import one_line
from tui.words import Clock, elapsed, moment

GAP = " · "


class Band(Static):
    """Environment first, then the target, the ticket, the operator, the time. Wraps between parts, cuts none off."""

    ALLOW_SELECT = False

    def __init__(self, clock: Clock) -> None:
        super().__init__("", markup=False)
        self._clock = clock
        self._parts: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def show(self, view: RunView) -> None:
        """Show whose session this is."""
        parts = self.parts(view)
        self.set_class(view.protected, "-protected")
        if parts != self._parts:
            self._parts = parts
            self._draw()

    def on_resize(self) -> None:
        """The width decides where it wraps."""
        self._draw()

    def parts(self, view: RunView) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where this is, and whose it is: one line, or one each."""
        opened = view.opened
        if opened is None:
            return ("gonogo", "waiting for the runner"), ()
        protected = "PROTECTED" if view.protected else "not protected"
        where = (f"{opened.environment.upper()} · {protected}", *self._target(view))
        whose = (opened.ticket, opened.operator.name, self._elapsed(view), f"● {view.seq + 1} records")
        return _clean(where), _clean(whose)

    def _target(self, view: RunView) -> tuple[str, ...]:
        opened, plan = view.opened, view.plan
        project = opened.project if opened else ""
        if plan is None:
            return (project, "target not read yet")
        role = "STANDBY" if plan.target.in_recovery else "primary"
        return (project, plan.target.address, f"PG {plan.target.server_version} {role}")

    def _elapsed(self, view: RunView) -> str:
        started = moment(view.started_at)
        until = moment(view.at) if view.ended else self._clock()
        return elapsed(until - started if started and until else timedelta())

    def _draw(self) -> None:
        width = max(10, self.content_size.width or self.app.size.width - 2)
        where, whose = ([Content(part) for part in parts] for parts in self._parts)
        if where:
            where[0] = Content.assemble(" ", (f" {where[0].plain} ", "bold reverse"))
        if self.screen.has_class("-flat"):
            words = [part for parts in self._parts for part in parts]
            head = Content.styled(words[0], "bold reverse") if words else Content("")
            self.update(Content.assemble(head, GAP, GAP.join(words[1:])).truncate(width, ellipsis=True))
            return
        together = _wrap([*where, *whose], width)
        apart = [*_wrap(where, width), *_wrap(whose, width)]
        lines = apart if 1 < len(apart) <= len(together) else together
        self.update(Content("\n").join(lines))


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
