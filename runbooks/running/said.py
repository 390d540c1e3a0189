"""What a person says of what stands open becomes an event, or is refused with a reason."""

from typing import assert_never

from runbooks.report.item_facts import facts_of
from runbooks.session import commands as c
from runbooks.session import events as e
from runbooks.session import gates
from runbooks.session.calls import CALL, REACHED, contact_of
from runbooks.session.runbook import Item
from runbooks.session.view import RunView


class Refused(Exception):
    """A command that cannot be taken now, and why."""


Saying = c.Answer | c.Tick | c.Untick | c.Review | c.Waive


def said(view: RunView, command: Saying, by: e.By) -> e.Event:
    """The event that a command becomes. Raises Refused."""
    match command:
        case c.Answer():
            return _answer(view, command, by)
        case c.Tick():
            return _tick(view, command, by)
        case c.Untick():
            return _untick(view, command, by)
        case c.Review():
            return _review(view, command, by)
        case c.Waive():
            return _waive(view, command, by)
        case _:
            assert_never(command)


def _answer(view: RunView, command: c.Answer, by: e.By) -> e.Event:
    asked, answer = view.questions.get(command.question), command.answer
    if asked is None:
        raise Refused(f"nobody asked {command.question}")
    if asked.exact is not None and answer != asked.exact:
        raise Refused(f"that is not “{asked.exact}”")
    if asked.choices and answer not in asked.choices:
        raise Refused(f"choose one of: {', '.join(asked.choices)}")
    if not answer.strip():
        raise Refused("an empty answer is none")
    return e.QuestionAnswered(question=command.question, answer=answer, by=by)


def _item(view: RunView, name: str) -> Item:
    section = view.section
    found = next((item for item in view.active_items(section) if item.id == name), None) if section else None
    if found is None:
        raise Refused(f"{name} is not an item of what stands open")
    return found


def _tick(view: RunView, command: c.Tick, by: e.By) -> e.Event:
    if command.item.startswith(CALL):
        if contact_of(view.runbook, command.item) is None or command.state != "done":
            raise Refused(f"the runbook has no {command.item} to be called")
        reached = REACHED if command.reason == REACHED else ""
        return e.ItemTicked(item=command.item, state="done", evidence=command.evidence, reason=reached, by=by)
    item = _item(view, command.item)
    if command.state == "done" and item.proved_by:
        raise Refused(f"no person ticks it: it is proven by {item.proved_by}, so run that")
    if command.state == "done" and item.evidence and not command.evidence.strip():
        raise Refused(f"it asks for evidence: {item.evidence}")
    if command.state == "not_applicable" and item.required:
        raise Refused("it is required: it always applies")
    if command.state == "not_applicable" and not command.reason.strip():
        raise Refused("say why it does not apply")
    return e.ItemTicked(
        item=item.id,
        state=command.state,
        evidence=command.evidence,
        reason=command.reason,
        facts=facts_of(view, item.facts),
        by=by,
    )


def _untick(view: RunView, command: c.Untick, by: e.By) -> e.Event:
    item = _item(view, command.item)
    if item.id not in view.items:
        raise Refused("it is not ticked")
    return e.ItemUnticked(item=item.id, by=by)


def _review(view: RunView, command: c.Review, by: e.By) -> e.Event:
    scripts = {script.migration: script for script in view.to_review}
    script = scripts.get(command.migration)
    if script is None:
        raise Refused(f"{command.migration} is not a pending script")
    if script.sha256 != command.sha256:
        raise Refused("those are not the bytes of the plan: open the script again")
    return e.ScriptReviewed(migration=command.migration, sha256=command.sha256, comment=command.comment, by=by)


def _waive(view: RunView, command: c.Waive, by: e.By) -> e.Event:
    hold = gates.waivable(view, command.subject)
    if hold is None:
        raise Refused(f"{command.subject} holds nothing")
    if not hold.waivable:
        raise Refused(f"{command.subject} cannot be waived")
    if not command.reason.strip():
        raise Refused("a waiver needs a written reason")
    return e.Waived(subject=command.subject, outcome=hold.outcome, reason=command.reason, by=by)
