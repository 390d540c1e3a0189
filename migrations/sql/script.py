"""A script and its statements."""

from dataclasses import dataclass, field

from migrations.sql.actions import Action
from migrations.sql.facts import Facts


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a script cannot be read. `offset` counts characters from 0, `line` from 1."""

    message: str
    line: int
    offset: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `index` counts from 0, `line` from 1; `start` and `end` are offsets in characters, without `;`.

    `why_not`: in words, why it could not be analysed. The last `in_code` of its actions stand in code that it runs.
    """

    index: int
    line: int
    start: int
    end: int
    text: str = field(repr=False)
    summary: str
    facts: Facts
    actions: tuple[Action, ...] = ()
    why_not: str = ""
    in_code: int = 0

    @property
    def certain(self) -> tuple[Action, ...]:
        """The actions of the statement itself; those in code that it runs may happen or not."""
        return self.actions[: len(self.actions) - self.in_code]

    @property
    def analysed(self) -> bool:
        """Whether all that it does is known."""
        return not self.why_not


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script. With an `error` nothing of it can be run; its statements are then a best guess, for reading."""

    text: str = field(repr=False)
    statements: tuple[Statement, ...]
    error: Fault | None = None
