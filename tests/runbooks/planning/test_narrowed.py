"""A session that goes only as far as a migration, and one that pauses: what is refused, and what the steps are told."""

import pytest

from migrations.problem import Misuse
from runbooks.document import read_runbook
from runbooks.planning.narrowed import WHOLE, Narrowing, check_narrowing, narrowed, pauses
from runbooks.session.runbook import Runbook
from runbooks.steps import catalogue
from tests.fix_command import RUNBOOK

NAMES = ("1_a", "2_b", "3_c")


def book(more: str = "") -> Runbook:
    text = RUNBOOK.replace('uses = "migrations.apply"', f'uses = "migrations.apply"\n{more}')
    return read_runbook(text, name="small", catalogue=catalogue())


def test_the_steps_that_apply_are_told_and_say_so() -> None:
    found = narrowed(book('model = "prisma-7.4"'), catalogue(), Narrowing(to="2_b", pause=True))
    (apply,) = [step for step in found.steps() if step.uses == "migrations.apply"]
    assert apply.params == {"model": "prisma-7.4", "lock_timeout": "2s", "to": "2_b", "pause": True}
    assert "up to 2_b" in apply.shows and "asking between transactions" in apply.shows
    assert "as Prisma from 7.4 on does" in apply.shows
    assert pauses(found) and not pauses(book())
    assert narrowed(book(), catalogue(), WHOLE) == book()


@pytest.mark.parametrize(
    ("more", "narrowing", "words"),
    [
        ("", Narrowing(to="2_bb"), "Did you mean 2_b"),
        ('to = "1_a"', Narrowing(to="2_b"), "only as far as 1_a"),
        ('to = "3_c"', Narrowing(to="2_b"), ""),
        ('to = "${env.last}"', Narrowing(to="2_b"), ""),
        ("", Narrowing(pause=True), ""),
    ],
)
def test_what_is_refused_before_a_session_begins(more: str, narrowing: Narrowing, words: str) -> None:
    if not words:
        return check_narrowing(book(more), NAMES, narrowing)
    with pytest.raises(Misuse) as caught:
        check_narrowing(book(more), NAMES, narrowing)
    assert words in f"{caught.value} {caught.value.advice}"


def test_what_cannot_be_narrowed() -> None:
    none = RUNBOOK.replace('uses = "migrations.apply"\nlock_timeout = "2s"', 'uses = "ledger.inspect"')
    with pytest.raises(Misuse, match="applies no migrations"):
        check_narrowing(read_runbook(none, name="x", catalogue=catalogue()), NAMES, Narrowing(to="1_a"))
    theirs = RUNBOOK.replace('lock_timeout = "2s"', 'engine = "prisma"')
    with pytest.raises(Misuse, match="cannot be paused"):
        check_narrowing(read_runbook(theirs, name="x", catalogue=catalogue()), NAMES, Narrowing(pause=True))
