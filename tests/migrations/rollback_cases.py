"""The cases of rollbacks.sql."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

BATCH = 15


@dataclass(frozen=True)
class Case:
    """`before` and `script` are in a schema of their own."""

    name: str
    number: int
    often: bool
    before: str
    script: str

    @property
    def schema(self) -> re.Pattern[str]:
        """Finds what is about it."""
        return re.compile(rf"\bs{self.number}[._]")


@cache
def cases() -> dict[str, Case]:
    """By their names."""
    text = (Path(__file__).parent / "rollbacks.sql").read_text()
    blocks = [block.partition("\n") for block in re.split(r"^-- (?=.+\n)(?!then$)", text, flags=re.M)[2:]]
    macros = {head: body for head, _, body in blocks if head.startswith("@")}
    found = {}
    for number, (head, _, body) in enumerate(blocks):
        if head not in macros:
            before, _, script = (_at_home(_whole(part, macros), number) for part in body.partition("-- then\n"))
            name = head.removesuffix(" *")
            found[name] = Case(name, number, name != head, f"CREATE SCHEMA s{number};\n{before}", script)
    return found


def _whole(text: str, macros: dict[str, str]) -> str:
    while "@" in text:
        text = re.sub(r"@[A-Z_]+", lambda found: macros[found[0]], text)
    return text


def _at_home(text: str, number: int) -> str:
    return re.sub(r"\bS(?=[._; ])", f"s{number}", text)


def batches() -> Iterator[list[Case]]:
    """Those that are tried often, and the others in parts: each look at a catalog takes longer the larger that is."""
    often = [case for case in cases().values() if case.often]
    rest = [case for case in cases().values() if not case.often]
    yield often
    yield from (rest[start : start + BATCH] for start in range(0, len(rest), BATCH))


def joined(scripts: Iterable[str]) -> str:
    """As one script."""
    return "\n".join(scripts)
