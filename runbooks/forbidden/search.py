"""Looks for forbidden commands in a shell text, and in the scripts that it calls."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from runbooks.forbidden.judged import QUIET, Found, judged, judged_by_name
from runbooks.forbidden.packages import MANAGERS, Packages
from runbooks.forbidden.shell_words import SHELLS, commands

DEEPEST = 6
ENDINGS = (".sh", ".bash")
READS = (".", "source")
LARGEST = 64_000
"""Bytes of a script file that is read."""


class Search:
    """Reads in one project's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packages = Packages(folder)

    def found(self, script: str) -> Iterator[Found]:
        """Each once for its line, as the run block has it."""
        yield from sorted(dict.fromkeys(self._in(script, 0, frozenset())), key=lambda one: one.line)

    def _in(self, text: str, deep: int, seen: frozenset[str]) -> Iterator[Found]:
        if deep > DEEPEST or text in seen:
            return
        known, shell_reads, found = seen | {text}, False, list(commands(text))
        moved = any(command.words[0] == "cd" for command in found)
        for command in reversed(found):
            words, program = command.words, PurePosixPath(command.words[0]).name
            shell_reads = command.piped and shell_reads
            if program in QUIET and not shell_reads:
                continue
            shell_reads = shell_reads or program in SHELLS
            here = judged(words)
            for one in [here] if here is not None else self._called(words, deep, known, moved=moved):
                yield replace(one, line=command.line)

    def _called(self, words: Sequence[str], deep: int, seen: frozenset[str], *, moved: bool) -> Iterator[Found]:
        """What these words call: scripts of package.json, files, and texts that a shell would read."""
        at = next((n for n, word in enumerate(words) if PurePosixPath(word).name in MANAGERS), None)
        if at is not None:
            called = (PurePosixPath(words[at]).name, *words[at + 1 :])
            yield from self._package_script(called, deep, seen, moved=moved)
        for word in words:
            if any(blank in word for blank in " \n\t"):
                yield from self._in(word, deep + 1, seen)
            elif text := self._file(word, words):
                yield from self._through(word, text, deep, seen)

    def _package_script(
        self, words: tuple[str, ...], deep: int, seen: frozenset[str], *, moved: bool
    ) -> Iterator[Found]:
        scripts, unread = self._packages.scripts(words, moved=moved)
        for name, text in scripts:
            yield from self._through(f"{words[0]} run {name}", text, deep, seen)
        if unread and (one := judged_by_name(unread)) is not None:
            yield replace(one, command=f"{words[0]} run {unread}", does=f"{one.does}, as its name says")

    def _through(self, what: str, text: str, deep: int, seen: frozenset[str]) -> Iterator[Found]:
        for one in self._in(text, deep + 1, seen):
            yield replace(one, through=(what, *one.through))

    def _file(self, word: str, words: Sequence[str]) -> str:
        """The text of a shell script that is named here; nothing of other files."""
        given = word == self._given_to_a_shell(words)
        if "/" not in word and not given and not word.endswith(ENDINGS):
            return ""
        path = self._folder / word
        try:
            if not path.is_file() or path.stat().st_size > LARGEST:
                return ""
            text = path.read_bytes().decode("utf-8", "replace")
        except (OSError, ValueError):
            return ""
        first = text.partition("\n")[0]
        by_shell = first.startswith("#!") and bool(SHELLS & set(first.rpartition("/")[2].split()))
        bare = word == words[0] and not first.startswith(("#!", "\x7fELF"))  # whoever calls it is a shell, and reads it
        return text if given or by_shell or bare or word.endswith(ENDINGS) else ""

    def _given_to_a_shell(self, words: Sequence[str]) -> str:
        """The file that a shell among these words reads; what follows that is the script's own."""
        reads = (n for n, word in enumerate(words) if word in READS or PurePosixPath(word).name in SHELLS)
        after = words[next(reads, len(words)) + 1 :]
        return next((word for word in after if _is_file(self._folder / word)), "")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
