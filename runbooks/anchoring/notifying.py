"""The team's own command that tells others: `notify = […]` of an environment. It never stops a session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrations.problem import Problem
from migrations.process import Stream, run

SECONDS = 15.0
"""A command that takes longer has not delivered."""
KEPT = 300
MOST = 16_000

Why = Literal["opening", "go", "resume", "end", "emergency"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What others are told. `head` is the record that it names, as SEQ:HASH, if it names one."""

    why: Why
    text: str
    head: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """As the command gets it: nothing of it stands on the command line."""
        text = self.text.replace("\0", "")[:MOST]
        return {"GONOGO_NOTICE": text, "GONOGO_NOTICE_WHY": self.why, "GONOGO_HEAD": self.head}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whether the command took the notice; `words` say how that went, the command's own last words with them."""

    delivered: bool
    words: str


async def notify(
    argv: Sequence[str], notice: Notice, *, cwd: Path, env: Mapping[str, str], seconds: float = SECONDS
) -> Delivery:
    """Hand a notice to the team's command. Delivered is what the command ended with 0 for; nothing is raised.

    `env` is all that it gets beside the notice: leave addresses of databases out.
    """
    said = ""

    async def keep(_: Stream, text: str) -> None:
        nonlocal said
        said = (said + text)[-KEPT:]

    try:
        ended = await run(argv, env={**env, **notice.variables}, cwd=cwd, on_text=keep, timeout=seconds)
    except Problem as problem:
        return Delivery(False, problem.what)
    words = " ".join(said.split())
    if ended.returncode == 0:
        return Delivery(True, f"{argv[0]} took it" + (f": {words}" if words else ""))
    return Delivery(False, f"{argv[0]} ended with {ended.returncode}" + (f": {words}" if words else ""))
