"""Everything that is wrong with one file, told together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from migrations.listed import many
from migrations.problem import Misuse
from runbooks.settings.nearest import one_of

SHOWN = 50


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong. `line` counts from 1; `expected` says what would be right."""

    line: int
    what: str
    expected: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}" + (f"; expected {self.expected}" if self.expected else "")


class FileFaults(Misuse):
    """A file that cannot be used as it stands. `faults` are in the order of their lines."""

    def __init__(self, file: str, faults: Iterable[Fault], *, advice: str = "") -> None:
        self.file = file
        self.faults = tuple(sorted(set(faults)))
        count = many(len(self.faults), "error")
        lines = [f"  {fault}" for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            lines.append(f"  and {len(self.faults) - SHOWN} more")
        super().__init__("\n".join([f"{file} has {count}:", *lines]), advice=advice)

    def __str__(self) -> str:
        return f"{self.what}\n{self.advice}".strip()


class DocumentError(FileFaults):
    """A runbook with errors. Nothing starts from it."""


class ProjectError(FileFaults):
    """A gonogo.toml with errors. Nothing starts from it."""


@dataclass(slots=True)
class Faults:
    """Collects faults while a file is read."""

    found: list[Fault] = field(default_factory=list)

    def add(self, line: int, what: str, expected: str = "") -> None:
        """Note one fault."""
        self.found.append(Fault(line, what, expected))

    def unknown(self, line: int, sort: str, word: str, known: Iterable[str]) -> None:
        """Note a word that is not known, and the nearest that is."""
        self.add(line, f"unknown {sort} `{word}`", one_of(word, known))

    def unknown_keys(self, keys: Iterable[str], known: Iterable[str], line_of: Callable[[str], int]) -> None:
        """Note each key that is not known, at its line."""
        names = list(known)
        for key in keys:
            if key not in names:
                self.unknown(line_of(key), "key", key, names)
