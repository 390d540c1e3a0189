"""The simple commands of a shell text, as words without their quotes. It is read, never run, and never complete."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "busybox", "eval", "ssh", "xargs"})
SEPARATORS = ";&|()`\n"
_HEREDOC = re.compile(r"(?<!<)<<-?[ \t]*(['\"]?)([A-Za-z_]\w*)\1")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_LEADING = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "command"})


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command. `line` counts from 0. `words` has neither assignments nor the shell's own words before it.

    `piped`: what it says is read by the next one.
    """

    words: tuple[str, ...]
    line: int
    piped: bool = False


def commands(text: str) -> Iterator[Command]:
    """Every simple command, in order; a text that ends inside quotes is read as if they ended there."""
    for words, line, piped in _Scanner(_without_documents(text)).scan():
        first = 0
        while first < len(words) and (words[first] in _LEADING or _ASSIGNMENT.fullmatch(words[first])):
            first += 1
        if words[first:]:
            yield Command(tuple(words[first:]), line, piped)


def _without_documents(text: str) -> str:
    """Here-documents that no shell reads are texts, and no commands. Lines keep their numbers."""
    lines, end, kept = text.split("\n"), "", list[str]()
    for number, line in enumerate(lines):
        if end:
            kept.append("")
            end = "" if line.strip() == end else end
            continue
        kept.append(line)
        found = _HEREDOC.search(line)
        if found is None or SHELLS & set(re.split(r"[\s|;&()/]+", line)):
            continue
        if any(later.strip() == found[2] for later in lines[number + 1 :]):  # else it is arithmetic, or a comment
            end = found[2]
    return "\n".join(kept)


@dataclass(slots=True)
class _Scanner:
    text: str
    words: list[str] = field(default_factory=list)
    word: list[str] | None = None
    line: int = 0
    began: int = 0
    inner: list[tuple[str, int]] = field(default_factory=list)
    """Texts in double quotes in which the shell runs something, and their lines."""

    def scan(self) -> Iterator[tuple[list[str], int, bool]]:
        at = 0
        while at < len(self.text):
            char = self.text[at]
            if char == "#" and self.word is None:
                at = self._past_comment(at)
                continue
            if char == "\\":
                self._escaped(self.text[at + 1 : at + 2])
                at += 2
                continue
            if char in "'\"":
                at = self._quoted(at + 1, char)
                continue
            if char in SEPARATORS and not self._redirects(at):
                yield from self._command(piped=char == "|" and self.text[at + 1 : at + 2] != "|")
                self.line += char == "\n"
            elif char in " \t\r<>":
                self._word()
                if char in "<>":
                    self.words.append(char)
            else:
                self._add(char)
            at += 1
        yield from self._command(piped=False)

    def _past_comment(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _escaped(self, char: str) -> None:
        if char == "\n":
            self.line += 1
        else:
            self._add(char)

    def _quoted(self, at: int, quote: str) -> int:
        self._add("")
        start, line = at, self.line
        while at < len(self.text) and self.text[at] != quote:
            if quote == '"' and self.text[at] == "\\" and self.text[at + 1 : at + 2] in ('"', "\\", "$", "`"):
                at += 1
            self.line += self.text[at] == "\n"
            self._add(self.text[at])
            at += 1
        said = self.text[start:at]
        if quote == '"' and ("$(" in said or "`" in said):
            self.inner.append((said, line))
        return at + 1

    def _redirects(self, at: int) -> bool:
        """An & that belongs to `2>&1` or `&>`."""
        return self.text[at] == "&" and (self.text[at - 1 : at] == ">" or self.text[at + 1 : at + 2] == ">")

    def _add(self, char: str) -> None:
        if self.word is None:
            self.word = []
            if not self.words:
                self.began = self.line
        self.word.append(char)

    def _word(self) -> None:
        if self.word is not None:
            self.words.append("".join(self.word))
            self.word = None

    def _command(self, *, piped: bool) -> Iterator[tuple[list[str], int, bool]]:
        self._word()
        words, self.words = self.words, []
        inner, self.inner = self.inner, []
        yield from ((["eval", said], line, False) for said, line in inner)
        if words:
            yield words, self.began, piped
