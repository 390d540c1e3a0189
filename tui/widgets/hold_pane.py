"""The hold point: what keeps it shut, the checklist, and the way back."""

from collections.abc import Iterator
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList

from runbooks.report.item_facts import facts_of
from runbooks.session.pairs import Pair, open_pairs
from runbooks.session.runbook import Item, Section
from runbooks.session.view import RunView
from tui.face import Hold
from tui.palette import NOT_APPLICABLE, OPEN, OUTCOMES, PROVEN, RUNNING, STILL_OPEN, TICKED, WAITING, WAIVED, Mark
from tui.printable import one_line, printable
from tui.standing import phase_title, title_of
from tui.way_back import after_go, untouched_rows, way_back_rows, window_rows
from tui.widgets.choices import Choice, Choices
from tui.widgets.pile_view import PileView
from tui.widgets.row import Row, row
from tui.words import Clock, plural


class HoldPane(Vertical):
    """Items to tick, holds to lift and the ways back, in one list below the verdict."""

    class Picked(Message):
        """Enter on a line: `subject` of kind item, step, check, stale, review, …"""

        def __init__(self, kind: str, subject: str) -> None:
            super().__init__()
            self.kind = kind
            self.subject = subject

    def __init__(self, clock: Clock, *, id: str, keys: bool = True) -> None:
        super().__init__(id=id, classes="pane")
        self._clock = clock
        self._keys = keys
        self._verdict = PileView(id="verdict")
        self._list = Choices(id="hold-list")

    def compose(self) -> ComposeResult:
        """The verdict, then the list."""
        yield self._verdict
        yield self._list

    def show(self, view: RunView) -> None:
        """Show what holds."""
        self.border_title = f"Hold point: {phase_title(view.phase)}"
        self._verdict.show((*verdict_rows(view), *after_go(view), *untouched_rows(view), *window_rows(view)))
        self._list.show(list(_choices(view, self._clock(), keys=self._keys)))

    @property
    def chosen(self) -> tuple[str, str] | None:
        """Kind and subject of the chosen line."""
        if self._list.chosen is None:
            return None
        kind, _, subject = self._list.chosen.partition(":")
        return kind, subject

    def choose(self, kind: str, subject: str) -> None:
        """Move to a line."""
        self._list.choose(f"{kind}:{subject}")

    def focus_list(self) -> None:
        """Let the keys move in the list."""
        self._list.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        event.stop()
        if self.chosen is not None:
            self.post_message(self.Picked(*self.chosen))


def verdict_rows(view: RunView) -> Iterator[Row]:
    """GO or NO-GO, and why in a word."""
    if view.section is None:
        yield row("", ("not open yet", "$quiet"))
        return
    if view.ended is not None:
        yield row("■ ", ("the session has ended", "bold"))
        yield from owed_rows(view)
        return
    holds = view.gate.holds
    if not holds:
        yield row(Content.styled("✔ ", "$ok"), ("GO is possible", "bold $ok"), ": nothing holds")
        return
    verb = "holds" if len(holds) == 1 else "hold"
    yield row(Content.styled("✖ ", "$fail"), ("NO-GO", "bold $fail"), f": {plural(len(holds), 'thing')} {verb}")


def owed_rows(view: RunView) -> Iterator[Row]:
    """What is left to be done."""
    for number, one in enumerate(view.owed):
        if not number:
            yield row("", ("To be done", "bold $quiet"))
        yield row(Content.assemble(OPEN.sign, " "), printable(one.words))


def hold_mark(view: RunView, hold: Hold) -> Mark:
    """The sign of a hold: of its kind, where it is not the outcome of something that ran."""
    match hold.kind:
        case "running":
            return RUNNING
        case "review" | "item":
            return OPEN
        case "stale":
            return OUTCOMES["warn"]
        case "undo":
            return STILL_OPEN
        case "refused":
            return OUTCOMES["fail"]
        case "step" if view.step(hold.subject).status == "waiting":
            return WAITING
    return OUTCOMES[hold.outcome]


def hold_row(view: RunView, hold: Hold, *, keys: bool = True) -> Row:
    """One thing that holds, and the key of a waiver that would lift it, where `keys` are to be had."""
    mark = hold_mark(view, hold)
    waivable = ("  w\N{NO-BREAK SPACE}waives", "$busy") if keys and hold.waivable and view.ended is None else ("", "")
    return row(Content.assemble(mark.sign, " "), one_line(hold.words), waivable)


def item_row(view: RunView, item: Item, gap: str = "\n") -> Row:
    """One item of the checklist; who ticked it stands behind `gap`."""
    ticked, waiver = view.items.get(item.id), view.waivers.get(item.id)
    required = ("  required", "$quiet") if item.required else ("", "")
    if ticked is not None:
        mark = TICKED if ticked.state == "done" else NOT_APPLICABLE
        reason = f"not applicable: {ticked.reason}" if ticked.state == "not_applicable" else ticked.evidence
        words = ", ".join(part for part in (one_line(ticked.by.name), printable(reason)) if part)
        return row(Content.assemble(mark.sign, " "), printable(item.text), (f"{gap}{words}", "$quiet"))
    if (proof := view.proof(item)) is not None:
        words = f"proven by {title_of(view, item.proved_by)}, {proof.ended_at[11:16]} UTC"
        return row(Content.assemble(PROVEN.sign, " "), printable(item.text), (f"{gap}{one_line(words)}", "$ok"))
    if waiver is not None:
        words = f"{gap}waived by {one_line(waiver.by.name)}: {printable(waiver.reason)}"
        return row(Content.assemble(WAIVED.sign, " "), printable(item.text), (words, "$warn"))
    if item.proved_by:
        words = f"{gap}to be proven by {one_line(title_of(view, item.proved_by))}"
        return row(Content.assemble(OPEN.sign, " "), printable(item.text), required, (words, "$quiet"))
    evidence = (f"{gap}asks for: {one_line(item.evidence)}", "$quiet") if item.evidence else ("", "")
    beside = len(facts_of(view, item.facts))
    facts = (f"{gap}beside it: {plural(beside, 'fact')} (t shows)", "$busy") if beside else ("", "")
    see = (f"{gap}see {one_line(item.see)}", "$busy") if item.see else ("", "")
    return row(Content.assemble(OPEN.sign, " "), printable(item.text), required, evidence, facts, see)


def fact_rows(view: RunView, item: Item) -> Iterator[Row]:
    """What gonogo found of what an item asks, to be read before it is answered."""
    facts = facts_of(view, item.facts)
    if facts:
        yield row("", ("What gonogo found of it:", "bold $quiet"))
    yield from (row("· ", printable(fact)) for fact in facts)


def _choices(view: RunView, now: datetime, *, keys: bool) -> Iterator[Choice]:
    section: Section | None = view.section
    if section is None:
        return
    items = view.active_items(section)
    holds = [hold for hold in view.gate.holds if hold.kind not in ("item", "undo")]
    yield from _still_open(view, keys=keys)
    if items:
        gap = "\n" if view.pairs else ""
        yield Choice("heading:items", row("", gap, ("Checklist", "bold $quiet")), heading=True)
    for item in items:
        yield Choice(f"item:{item.id}", item_row(view, item))
    if holds:
        yield Choice(
            "heading:holds", row("", "\n" if items or view.pairs else "", ("Also holding", "bold $quiet")), heading=True
        )
    for number, hold in enumerate(holds):
        double = any(h.kind == hold.kind and h.subject == hold.subject for h in holds[:number])
        if not double:
            yield Choice(f"{hold.kind}:{hold.subject}", hold_row(view, hold, keys=keys))
    yield from _ways_back(view, now, first=not items and not holds and not view.pairs, keys=keys)


def pair_row(pair: Pair, gap: str = "\n", *, keys: bool = True) -> Row:
    """Something that is open: since when, what undoes it, and why it may stay so."""
    undo = (f"{gap}{'u undoes it: ' if keys else 'undone by '}{one_line(pair.undo.title)}", "$busy")
    reason = (f"{gap}stays open: {printable(pair.reason)}", "$quiet") if pair.reason else ("", "")
    how = (f"  {'may be half done' if pair.failed else 'open'} since {pair.at[11:16]} UTC", "$warn")
    return row(Content.assemble(STILL_OPEN.sign, " "), one_line(pair.step.title), how, undo, reason)


def _still_open(view: RunView, *, keys: bool) -> Iterator[Choice]:
    pairs = list(open_pairs(view))
    if pairs:
        yield Choice("heading:open", row("", ("Still open", "bold $warn")), heading=True)
    for pair in pairs:
        yield Choice(f"undo:{pair.subject}", pair_row(pair, keys=keys and view.ended is None))


def _ways_back(view: RunView, now: datetime, *, first: bool, keys: bool) -> Iterator[Choice]:
    for number, way in enumerate(way_back_rows(view, now, keys=keys)):
        gap = "" if first or number else "\n"
        yield Choice(f"option:{number}", Row(way.head, Content.assemble(gap, way.body)), heading=number == 0)
