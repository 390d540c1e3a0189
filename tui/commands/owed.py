"""`gonogo approve SESSION`: the review that a run in the emergency lane owes."""

import asyncio
import os
from pathlib import Path

import click

from migrations.problem import Problem
from runbooks.approvals import approving, owed_review
from runbooks.approvals.emergency import owed_words
from runbooks.approvals.signers import read_signers
from runbooks.history.places import Place
from runbooks.host.operator import who
from runbooks.journal import read
from runbooks.report.summary import ticket_summary
from tui.commands.common import talk
from tui.printable import printable


def review_owed(here: Place, journal: Path, key: Path, principal: str | None, comment: str) -> None:
    """Show what ran, ask for a word, and sign the head of its record."""
    opened, head = owed_review.owing(journal, here.project)
    environment = here.project.environment(opened.environment)
    reviewer = approving.approver(here.project, environment, key, principal)
    signers = read_signers(here.project, environment, writes=True).signers
    proven = owed_review.not_the_operator(reviewer, opened, journal, signers, os.environ)
    click.echo(printable(ticket_summary(read(journal))))
    assert opened.emergency is not None
    talk(printable(owed_words(opened.emergency)))
    if not proven:
        talk(printable(f"That {opened.operator.name} ran it is claimed: no signature of the first record proves it."))
    talk(f"All of it: gonogo transcript show {journal.parent}")
    if click.prompt(f"Type the first 8 characters of its head ({head[:8]})", err=True) != head[:8]:
        raise Problem("That is not how the head begins.", advice="Nothing was signed.")
    by = asyncio.run(who(reviewer.principal, os.environ))
    path = owed_review.settle(journal, opened, head, reviewer, by, comment)
    talk(f"Reviewed by {reviewer.principal}: {path}, and its .sig.")
