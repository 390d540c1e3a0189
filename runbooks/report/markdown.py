"""The transcript in Markdown: a pure function of the journal. Same records, same bytes."""

from collections.abc import Iterable, Iterator

from runbooks import events as e
from runbooks.journal.records import Record
from runbooks.report.chapters import Attempt, Chapter, chapters
from runbooks.report.escape import code, inline
from runbooks.report.facts import Facts, gather
from runbooks.report.plan import plan_blocks
from runbooks.report.steps import attempt_blocks
from runbooks.report.summary import summary, ticket_summary, title
from runbooks.report.words import DECISION, HOW, login, moment, refs

__all__ = ["ticket_summary", "transcript"]


def transcript(records: Iterable[Record]) -> str:
    """The whole session, for a person to read. Raises ValueError if the records do not begin with session_opened."""
    kept = list(records)
    facts = gather(kept)
    parts = [f"# {title(facts)}"]
    if facts.unattended:
        parts.append(f"**{inline(facts.unattended)}**")
    parts.append(summary(facts))
    parts.append("Every statement names its records: `[#12]` is record 12 of the journal. Times are UTC.")
    writer = _Writer(facts)
    for chapter in chapters(kept):
        parts += writer.chapter(chapter)
    parts += [*_never_opened(facts), _how_to_check(facts)]
    return "\n\n".join(parts) + "\n"


class _Writer:
    """Writes chapters; remembers the plan, so that a plan read again is one line."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._titles = {s.id: s.title for s in facts.opening.runbook.steps()}
        self._items = {i.id: i.text for section in facts.opening.runbook.sections() for i in section.items}
        self._day = facts.opened.at[:10] if facts.opened else ""
        self._plan = ""

    def chapter(self, chapter: Chapter) -> Iterator[str]:
        """Its heading and its entries, in order; entries of one line each stand together in a list."""
        yield f"## {self._heading(chapter)} {refs([chapter.record.seq])}"
        points: list[str] = []
        for entry in chapter.entries:
            blocks = list(self._blocks(entry))
            if not blocks and isinstance(entry, Record):
                points.append(f"- {self._when(entry)} {self._point(entry.event)} {refs([entry.seq])}")
                continue
            if points:
                yield "\n".join(points)
                points = []
            yield from blocks
        if points:
            yield "\n".join(points)

    def _heading(self, chapter: Chapter) -> str:
        book = self._facts.opening.runbook
        if chapter.name == "rollback":
            option = next((o.title for o in book.options if o.id == chapter.option), chapter.option or "")
            return f"Rollback: {inline(option)}"
        return next((inline(p.title) for p in book.phases if p.name == chapter.name), "") or chapter.name.capitalize()

    def _blocks(self, entry: Attempt | Record) -> Iterator[str]:
        if isinstance(entry, Attempt):
            yield from attempt_blocks(entry, self._day)
        elif isinstance(entry.event, e.PlanMade) and entry.event.hash != self._plan:
            self._plan = entry.event.hash
            yield from plan_blocks(entry.event, f"{self._when(entry)}", refs([entry.seq]))

    def _when(self, record: Record) -> str:
        return moment(record.at, self._day)

    def _by(self, by: e.By) -> str:
        """Who; the login beside the name where it is not the operator who opened the session."""
        operator = self._facts.opening.operator
        other = "" if (by.os_user, by.host, by.ssh) == (operator.os_user, operator.host, operator.ssh) else login(by)
        return f"by {code(by.name)}{f' ({code(other)})' if other else ''}, {HOW[by.how]}"

    def _point(self, event: e.Event) -> str:
        match event:
            case e.Decided():
                return self._decided(event)
            case e.ItemTicked() | e.ItemUnticked():
                return self._item(event)
            case e.ScriptReviewed(migration=name, sha256=sha256, comment=comment, by=by):
                said = f", comment {code(comment)}" if comment else ""
                return f"Reviewed {code(name)}, SHA-256 {code(sha256)}{said}, {self._by(by)}"
            case e.Waived(subject=subject, outcome=outcome, reason=reason, by=by):
                return f"**Waived** {code(subject)} (at most {outcome}): {code(reason)}, {self._by(by)}"
            case e.CommandRefused(command=command, subject=subject, reason=reason, by=by):
                what = f"{code(command)} {code(subject)}" if subject else code(command)
                return f"Refused: {what}, because {code(reason)}, {self._by(by)}"
            case e.PlanMade(hash=digest):
                return f"The plan was read again: the same, {code(digest)}"
            case _:
                return self._session(event)

    def _decided(self, event: e.Decided) -> str:
        reason = f": {code(event.reason)}" if event.reason else ""
        option = f", way back {code(event.option)}" if event.option else ""
        plan = f", plan {code(event.plan)}" if event.plan else ""
        return f"**{DECISION[event.what]}** in {event.phase}{reason}{option}{plan}, {self._by(event.by)}"

    def _item(self, event: e.ItemTicked | e.ItemUnticked) -> str:
        text = f"{inline(self._items.get(event.item, '') or event.item)} ({code(event.item)})"
        if isinstance(event, e.ItemUnticked):
            return f"☐ taken back: {text}, {self._by(event.by)}"
        evidence = f", evidence {code(event.evidence)}" if event.evidence else ""
        if event.state == "not_applicable":
            return f"⊘ not applicable: {text}, because {code(event.reason)}{evidence}, {self._by(event.by)}"
        return f"☑ {text}{evidence}, {self._by(event.by)}"

    def _session(self, event: e.Event) -> str:
        """What happened to the session itself, and step events whose start is not in these records."""
        match event:
            case e.FaceAttached(face=face, sort=sort, pen=pen, by=by):
                return f"A {sort} attached as {code(face)}{', with the pen' if pen else ''}, {self._by(by)}"
            case e.FaceDetached(face=face):
                return f"{code(face)} detached"
            case e.PenTaken(face=face, from_face=before, reason=reason, by=by):
                source = f" from {code(before)}" if before else ""
                return f"**Pen** to {code(face)}{source}: {code(reason)}, {self._by(by)}"
            case e.SessionParked(reason=reason):
                return f"**Parked**: {code(reason)}"
            case e.SessionResumed(gonogo=version, host=host, pid=pid, by=by, unknown=unknown):
                lost = ", ".join(f"{code(step)} attempt {attempt}" for step, attempt in unknown)
                left = f"; started and not known to have ended: {lost}" if lost else ""
                return f"**Resumed** by gonogo {code(version)} on {code(host)} (pid {pid}), {self._by(by)}{left}"
            case e.JournalRepaired(file=file, size=size, sha256=sha256):
                return f"A torn last line of {size} bytes was set aside as {code(file)}, SHA-256 {code(sha256)}"
            case e.SessionEnded(outcome=outcome, exit_code=exit_code, reason=reason):
                return f"**The session ended**: {outcome}, exit code {exit_code}{f', {code(reason)}' if reason else ''}"
            case _:
                return f"{event.kind} outside of any step: {code(event.model_dump_json())}"


def _never_opened(facts: Facts) -> Iterator[str]:
    phases = facts.opening.runbook.phases
    missed = [inline(p.title or p.name) for p in phases if p.name not in facts.phases]
    if missed:
        yield f"Never opened: {', '.join(missed)}."


def _how_to_check(facts: Facts) -> str:
    last = facts.last.seq if facts.last else 0
    open_end = (
        "The session had ended."
        if facts.ended
        else "The session had not ended: that a tail was cut off cannot be excluded."
    )
    return (
        "## How to check this\n\n"
        f"Made from {last + 1} records; the hash of the last one [#{last}], the head of the chain, is\n\n"
        f"    {facts.head}\n\n"
        f"{open_end} `gonogo transcript verify` on the session folder checks every record and shows the head that it"
        " finds; it needs no database. `docs/journal.md` of gonogo says how to check it without gonogo, and against"
        " whom a chain does not help. Compare the head with the one in the ticket."
    )
