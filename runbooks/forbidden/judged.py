"""What a simple command would do that it must not, by its words alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

NEVER = {
    ("migrate", "dev"): "makes migrations, and resets the database where it finds drift",
    ("migrate", "reset"): "drops all that is in the database",
    ("db", "push"): "changes the schema past all migrations",
    ("db", "execute"): "runs SQL that nobody has reviewed",
}
SEED = ("db", "seed")
SEEDS = "writes seed data"
HARMLESS = frozenset({"migrate deploy", "migrate status", "migrate resolve", "migrate diff", "db pull"})
QUIET = frozenset(
    {"echo", "printf", "cat", "tee", "grep", "egrep", "rg", "git", "test", "[", ":", "true", "ls", "sed", "jq", "rm"}
)
"""What these are given is text or names: nothing of it is run."""
INTERPRETERS = frozenset(
    {"node", "ts-node", "tsx", "bun", "bunx", "npx", "deno", "python", "python3", "ruby", "php", "psql", "sh", "bash"}
)

_PRISMA = re.compile(r"prisma(@[\w.^~-]+)?")
_SEED_FILE = re.compile(r"(?:[\w-]+[-_.])?seeds?(?:[-_.][\w-]+)*\.(?:[cm]?[jt]s|sql|py|rb|sh|php)")
_SEED_NAME = re.compile(r"(?:^|[:._-])seeds?(?:$|[:._-])")
_NEVER_NAME = re.compile(r"(?:^|[:._-])(migrate[:._-](?:dev|reset)|db[:._-](?:reset|push|execute))(?:$|[:._-])")


@dataclass(frozen=True, slots=True)
class Found:
    """A command that must not run. `line` counts from 0; `through` is what leads there, from the run block on."""

    command: str
    does: str
    line: int = 0
    through: tuple[str, ...] = ()

    @property
    def seeds(self) -> bool:
        """It writes seed data, which a first run may."""
        return self.does == SEEDS

    @property
    def words(self) -> str:
        """In words, as the beginning of a sentence."""
        way = "".join(f"`{step}` leads to " for step in self.through)
        return f"{way}`{self.command}`, which {self.does}, must not run"


def judged(words: Sequence[str]) -> Found | None:
    """What these words would run themselves; what they call is not looked into."""
    for at, word in enumerate(words):
        if _may_be_prisma(word) and (known := _subcommand(words[at + 1 :])) is not None:
            does = SEEDS if known == SEED else NEVER.get(known)
            return Found(f"prisma {' '.join(known)}", does) if does else None
    return _seeding(words)


def _may_be_prisma(word: str) -> bool:
    return word.startswith("$") or any(_PRISMA.fullmatch(part) for part in word.split("/"))


def judged_by_name(name: str) -> Found | None:
    """What a script of this name would do, where it cannot be read."""
    if found := _NEVER_NAME.search(name):
        group, _, sub = re.sub(r"[._-]", ":", found[1]).partition(":")
        return Found(name, NEVER.get((group, sub), NEVER["migrate", "reset"]))
    return Found(name, SEEDS) if _SEED_NAME.search(name) else None


def _subcommand(words: Sequence[str]) -> tuple[str, str] | None:
    """The group and the subcommand, options and their values between them passed over."""
    group = ""
    for word in words:
        if group and ((group, word) in NEVER or (group, word) == SEED or f"{group} {word}" in HARMLESS):
            return group, word
        group = word if word in ("migrate", "db") and not group else group
    return None


def _seeding(words: Sequence[str]) -> Found | None:
    """A file of seeds that is run, or the word that other tools have for it."""
    program = PurePosixPath(words[0]).name
    runs = INTERPRETERS & {PurePosixPath(word).name for word in words}
    for at, word in enumerate(words):
        name = PurePosixPath(word).name
        if _SEED_FILE.fullmatch(name) and (runs or at == 0 or words[0] in (".", "source")):
            return Found(" ".join(words)[:80], SEEDS)
        if word in ("db:seed", "seed:run") and program not in INTERPRETERS:
            return Found(" ".join(words)[:80], SEEDS)
    return None
