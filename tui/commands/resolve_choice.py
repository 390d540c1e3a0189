"""What `gonogo resolve` offers on a terminal, from what the doctor has found."""

import asyncio
from collections.abc import Iterator

import click

from migrations.doctor.state import State
from migrations.doctor.wish import Wish
from runbooks.ledger import resolving
from runbooks.ledger.resolving import Looked
from tui.commands.common import talk
from tui.printable import printable

Choice = tuple[str, Wish | str]
"""Words, and what is then wished; a text is a question for the name of a migration: `baseline` or `applied`."""


def choose(looked: Looked) -> Wish | None:
    """Ask which way out; None if there is none, or none is taken. Raises Misuse for a name that is not there."""
    choices = [choice for state in looked.found.states for choice in _choices(state, looked)]
    facts = looked.found.facts
    if any(name not in facts.live for name in facts.scripts) and not any(wish == "baseline" for _, wish in choices):
        choices.append(("Note a pending migration as applied: somebody did it by hand", "applied"))
    if not choices:
        return None
    talk("")
    for number, (words, _) in enumerate(choices, 1):
        talk(printable(f"{number}. {words}"))
    taken = click.prompt("Which (0 for none)", type=click.IntRange(0, len(choices)), default=0, err=True)
    if not taken:
        return None
    wish = choices[taken - 1][1]
    return wish if isinstance(wish, Wish) else _named(looked, wish)


def _choices(state: State, looked: Looked) -> Iterator[Choice]:
    match state.name:
        case "failed" | "cut-short":
            (name,) = state.migrations
            yield f"Mark {name} as rolled back: what it did is undone, and it runs again", Wish(rolled_back=(name,))
            if name in looked.found.facts.scripts:
                yield f"Mark {name} as applied: the rest of it is done by hand", Wish(applied=(name,))
        case "no-baseline":
            yield "Note the migrations that made this database as applied", "baseline"
        case "duplicate":
            for name in state.migrations:
                yield f"Keep one row of {name}", Wish(one_row=(name,))
        case "changed-by-others":
            yield "Write down why the ledger was changed", Wish()


def _named(looked: Looked, wanted: str) -> Wish:
    facts = looked.found.facts
    pending = [name for name in facts.scripts if name not in facts.live]
    talk("Pending: " + ", ".join(printable(name) for name in pending))
    if wanted == "applied":
        return Wish(applied=(click.prompt("Its name", type=click.Choice(pending), show_choices=False, err=True),))
    fits = asyncio.run(resolving.fitting(looked))
    talk(printable(fits.words))
    prompt = "The last of them"
    name = click.prompt(prompt, type=click.Choice(pending), show_choices=False, default=fits.last, err=True)
    return Wish(baseline=name)
