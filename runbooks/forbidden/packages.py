"""The scripts of a project's package.json files, by name."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

MANIFEST = "package.json"
MOST_FOLDERS = 2000
DEPTH = 4
PASSED_OVER = frozenset({"node_modules", ".git", "dist", "build", ".venv", ".next"})
NPM = "npm"
MANAGERS = frozenset({NPM, "pnpm", "yarn", "bun", "turbo", "nx", "lerna", "npm-run-all", "run-s", "run-p"})
_OF_MANY = frozenset({"turbo", "nx", "lerna"})
_INSTALLS = frozenset({"install", "i", "ci"})
_LIFE = ("preinstall", "install", "postinstall", "prepare")
"""What an installation runs by itself."""
_RUN = frozenset({"run", "run-script"})
_BY_THEMSELVES = frozenset({"test", "start", "stop", "restart"})
_ELSEWHERE = (
    "-w",
    "--workspace",
    "--filter",
    "-F",
    "--prefix",
    "-C",
    "--cwd",
    "--dir",
    "workspace",
    "workspaces",
    "-r",
)


class Packages:
    """Those of the folder, of the nearest one above it that has one, and of the folders below."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def scripts(self, words: Sequence[str], *, moved: bool) -> tuple[list[tuple[str, str]], str]:
        """What a package manager's words run: name and text of each script; and the name of one that is not to be read.

        `moved`: they may be run in another folder. Without a script's name in the words there is neither.
        """
        names = _named(words)
        elsewhere = moved or words[0] in _OF_MANY or any(word.split("=")[0] in _ELSEWHERE for word in words)
        if _INSTALLS & set(words[1:2]):
            life = _LIFE if elsewhere else [name for name in _LIFE if name in self._nearest]
            return [(name, text) for name in life for text in self._texts(name, elsewhere=elsewhere)], ""
        for name in names:
            if texts := list(self._texts(name, elsewhere=elsewhere)):
                return [(name, f"{text} {' '.join(_more(words, name))}".strip()) for text in texts], ""
        return [], names[-1] if names else ""

    def _texts(self, name: str, *, elsewhere: bool) -> Iterator[str]:
        """Of the nearest package, unless the words may lead to others. What runs before and after it comes with it."""
        holding = [scripts for scripts in self._manifests if name in scripts]
        for scripts in holding if elsewhere else holding[:1]:
            yield from (scripts[each] for each in (f"pre{name}", name, f"post{name}") if each in scripts)

    @cached_property
    def _root(self) -> Path:
        return next((f for f in (self._folder, *self._folder.parents) if (f / MANIFEST).is_file()), self._folder)

    @cached_property
    def _nearest(self) -> Mapping[str, str]:
        return _scripts(self._root / MANIFEST)

    @cached_property
    def _manifests(self) -> list[Mapping[str, str]]:
        found = [self._nearest, *(_scripts(folder / MANIFEST) for folder in _below(self._root))]
        return [scripts for scripts in found if scripts]


def _named(words: Sequence[str]) -> list[str]:
    """What may be the name of a script: npm wants `run` before it, others do not."""
    plain = [word for word in _until_dashes(words[1:]) if not word.startswith("-")]
    if words[0] != NPM:
        return [word for word in plain if word not in _RUN]
    for at, word in enumerate(plain):
        if word in _RUN:
            return plain[at + 1 : at + 2]
    return [word for word in plain[:1] if word in _BY_THEMSELVES]


def _more(words: Sequence[str], name: str) -> Sequence[str]:
    """What a script is given on top of its own text."""
    after = words[list(words).index(name) + 1 :]
    return after[1:] if after[:1] == ("--",) else after


def _until_dashes(words: Sequence[str]) -> Sequence[str]:
    return words[: list(words).index("--")] if "--" in words else words


def _scripts(path: Path) -> Mapping[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(text) for name, text in found.get("scripts", {}).items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def _below(folder: Path) -> Iterator[Path]:
    """Folders with a package.json of their own, not too deep and not too many."""
    for here, folders, files in islice(os.walk(folder), MOST_FOLDERS):
        deep = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER) if deep < DEPTH else []
        if deep and MANIFEST in files:
            yield Path(here)
