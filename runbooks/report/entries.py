"""What is told of a record that belongs to no step: who decided, ticked, waived, attached, and what for."""

from runbooks.anchoring.noted import noted_by
from runbooks.report.parts import Strong, Value, Words, listed
from runbooks.report.steps import kept_words, question_words
from runbooks.report.words import DECISION, SESSION_OUTCOME, by_whom, login
from runbooks.session import events as e
from runbooks.session.calls import REACHED, contact_of
from runbooks.session.looked import looked_in
from runbooks.session.pairs import UNDO
from runbooks.session.runbook import Runbook
from runbooks.signing.record import Signed, Unsigned, said_by


class Entries:
    """Knows the runbook's items by their text, and the operator who opened the session."""

    def __init__(self, book: Runbook, operator: e.By) -> None:
        self._items = {item.id: item.text for section in book.sections() for item in section.items}
        self._operator = operator
        self._book = book
        self._pairs = {f"{step.id}/{UNDO}": step.title for step in book.steps() if step.undo}

    def words(self, event: e.Event) -> Words:
        """One line, without its time and its record."""
        match event:
            case e.Decided():
                return self._decided(event)
            case e.ItemTicked() | e.ItemUnticked():
                return self._item(event)
            case e.ScriptReviewed(migration=name, sha256=sha256, comment=comment):
                said: Words = (", comment ", Value(comment)) if comment else ()
                return ("Reviewed ", Value(name), ", SHA-256 ", Value(sha256), *said, *self._by(event.by))
            case e.Waived(subject=subject, reason=reason) if (title := self._pairs.get(subject)) is not None:
                stays = (Strong("Stays open"), ": ", title, " (", Value(subject), "): ")
                return (*stays, Value(reason), *self._by(event.by))
            case e.Waived(subject=subject, outcome=outcome, reason=reason):
                what = (" ", Value(subject), f" (at most {outcome}): ", Value(reason))
                return (Strong("Waived"), *what, *self._by(event.by))
            case e.CommandRefused(command=command, subject=subject, reason=reason):
                on: Words = (" ", Value(subject)) if subject else ()
                return ("Refused: ", Value(command), *on, ", because ", Value(reason), *self._by(event.by))
            case e.PlanMade(hash=digest):
                return ("The plan was read again: the same, ", Value(digest))
            case _:
                return self._session(event)

    def _by(self, by: e.By) -> Words:
        """Who; the login beside the name where it is not the operator who opened the session."""
        operator = self._operator
        same = (by.os_user, by.host, by.ssh) == (operator.os_user, operator.host, operator.ssh)
        return (", ", *by_whom(by, "" if same else login(by)))

    def _decided(self, event: e.Decided) -> Words:
        reason: Words = (": ", Value(event.reason)) if event.reason else ()
        option: Words = (", way back ", Value(event.option)) if event.option else ()
        if event.ranked:
            option += (" (", Value(event.ranked), ")")
        plan: Words = (", plan ", Value(event.plan)) if event.plan else ()
        return (Strong(DECISION[event.what]), f" in {event.phase}", *reason, *option, *plan, *self._by(event.by))

    def _item(self, event: e.ItemTicked | e.ItemUnticked) -> Words:
        if (contact := contact_of(self._book, event.item)) is not None:
            came: Words = (": ", Value(event.evidence)) if isinstance(event, e.ItemTicked) and event.evidence else ()
            reached = ", reached" if isinstance(event, e.ItemTicked) and event.reason == REACHED else ""
            return ("☎ called ", Value(contact.who), ", ", Value(contact.how), reached, *came, *self._by(event.by))
        text: Words = (self._items.get(event.item, "") or event.item, " (", Value(event.item), ")")
        if isinstance(event, e.ItemUnticked):
            return ("☐ taken back: ", *text, *self._by(event.by))
        evidence: Words = (", evidence ", Value(event.evidence)) if event.evidence else ()
        if event.state == "not_applicable":
            because = (", because ", Value(event.reason), *evidence, *self._by(event.by), *_facts(event))
            return ("⊘ not applicable: ", *text, *because)
        return ("☑ ", *text, *evidence, *self._by(event.by), *_facts(event))

    def _session(self, event: e.Event) -> Words:
        """What happened to the session itself."""
        match event:
            case e.FaceAttached(face=face, sort=sort, pen=pen):
                sorts = {"screen": "A screen", "headless": "A face without a screen"}
                return (f"{sorts[sort]} attached as ", Value(face), ", with the pen" * pen, *self._by(event.by))
            case e.FaceDetached(face=face):
                return (Value(face), " detached")
            case e.PenTaken(face=face, from_face=before, reason=reason):
                source: Words = (" from ", Value(before)) if before else ()
                return (Strong("Pen"), " to ", Value(face), *source, ": ", Value(reason), *self._by(event.by))
            case e.SessionParked(reason=reason):
                return (Strong("Parked"), ": ", Value(reason))
            case e.SessionResumed():
                return self._resumed(event)
            case e.JournalRepaired(file=file, size=size, sha256=sha256):
                aside = (f"A torn last line of {size} bytes was set aside as ", Value(file), ", SHA-256 ")
                return (*aside, Value(sha256))
            case e.SessionEnded(outcome=outcome, exit_code=exit_code, reason=reason):
                why: Words = (", ", Value(reason)) if reason else ()
                return (Strong("The session ended"), f": {SESSION_OUTCOME[outcome]}, exit code {exit_code}", *why)
            case _:
                return self._late(event)

    def _resumed(self, event: e.SessionResumed) -> Words:
        lost = [(Value(step), f" attempt {attempt}") for step, attempt in event.unknown]
        left: Words = ("; started and not known to have ended: ", *listed(lost)) if lost else ()
        where = (" by gonogo ", Value(event.gonogo), " on ", Value(event.host), f" (pid {event.pid})")
        return (Strong("Resumed"), *where, *self._by(event.by), *left)

    def _late(self, event: e.Event) -> Words:
        """Events of a step whose start does not stand right before them."""
        if isinstance(event, e.QuestionAnswered):
            return ("Question ", Value(event.question), " ", *question_words(event))
        if isinstance(event, e.ArtefactKept):
            return kept_words(event)
        if isinstance(event, e.StepProgress) and (looked := looked_in(event.step, event.data)) is not None:
            logs = listed([(Value(one.words),) for one in looked.logs], "; ")
            return (Strong("Logs"), ", since ", Value(looked.cause), ": ", *logs)
        if (noted := noted_by(event)) is not None:
            where = f", noted in {', '.join(noted.places)}" if noted.places else ", noted nowhere but here"
            lacks = ("; ", Strong("not noted"), ": ", Value(noted.missed)) if noted.missed else ()
            return ("Head ", Value(noted.line), f" ({noted.why})", where, *lacks)
        match said_by(event):
            case Signed(record=record, why=why, key=key):
                return (f"Record {record} signed ({why}) with the key ", Value(key))
            case Unsigned(record=record, why=why, reason=reason):
                return (Strong("Not signed"), f": record {record} ({why}), because ", Value(reason))
        match event:
            case e.StepProgress(step=e.WINDOW, data={"label": str(words), "why": str(why)}):
                return (Strong("Maintenance window"), f" ({why}), by the server's clock: ", Value(words))
        return (f"{event.kind} outside of any step: ", Value(event.model_dump_json()))


def _facts(event: e.ItemTicked) -> Words:
    """What stood beside the question."""
    return ("; beside it stood: ", *listed([(Value(fact),) for fact in event.facts])) if event.facts else ()
