"""`gonogo check`: what a pull request would do, told from its files, before there is a database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from migrations.finding import Finding
from migrations.naming import convention
from migrations.problem import Misuse, Problem
from runbooks.check import matters as m
from runbooks.check.base import Repository
from runbooks.check.cache import Cache
from runbooks.check.changes import Changes, about_changes, about_git
from runbooks.check.files import about_file, about_folder, about_rollback, about_verify, readable
from runbooks.check.judging import verdicts
from runbooks.check.names import about_names
from runbooks.check.report import Checked, More, Remark, Report
from runbooks.check.schema import about_schema
from runbooks.check.sources import File, Sources, find_sources
from runbooks.check.verdict import Verdict

__all__ = ["Asked", "Check", "More", "Remark", "Report"]

NO_COMMON = "git has no commit of both, so what came later there counts as gone or edited (fetch the whole history)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to check. Without `paths` it is the project's folder, and of that what is new or changed since `ref`.

    `everything`: all scripts, changed or not. `also`: matters of taste that are asked for.
    """

    now: datetime
    environ: Mapping[str, str]
    paths: tuple[Path, ...] = ()
    folder: Path | None = None
    naming: str = "prisma"
    ref: str | None = None
    everything: bool = False
    also: tuple[str, ...] = ()


class Check:
    """One look at the files: `sources` are all of them, `chosen` those whose statements are judged. Raises Misuse."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.sources: Sources = find_sources(asked.paths, asked.folder)
        self._not_checked: list[str] = []
        self._changes = {place: self._read(place) for place in _places(self.sources)}
        self.chosen = tuple(file for file in self.sources.files if self._is_chosen(file))

    def _read(self, place: Path) -> Changes | None:
        """What git says of a place; None where it cannot tell."""
        try:
            repository = Repository.of(place)
            base = repository.base(self.asked.ref, self.asked.environ)
            if base.tip:
                self._not_checked.append(f"where this branch left {base.words}: {NO_COMMON}")
            return Changes.of(repository, base, place)
        except Misuse:
            raise
        except Problem as problem:
            if self.asked.ref:
                raise Misuse(
                    f"What changed since {self.asked.ref} cannot be told: {problem.what}.",
                    advice="Leave --base out, or go to the git work tree.",
                ) from None
            self._not_checked.append(f"what was edited, removed or left out of git: {problem.what}")
            return None

    def _is_chosen(self, file: File) -> bool:
        changes = self._changes[_place(file)]
        if self.asked.everything or changes is None or (self.asked.paths and not self.asked.ref):
            return True
        return changes.is_changed(file)

    def report(self) -> Report:
        """All that the files tell."""
        judged = self._judge()
        remarks = [remark for file in self.chosen for remark in _about(file, judged.get(file))]
        for folder in self.sources.folders:
            remarks += self._about_folder(folder, judged)
        known = [changes for changes in self._changes.values() if changes]
        return Report(
            top=known[0].repository.top if known else Path.cwd(),
            scripts=tuple(_checked(file, judged.get(file)) for file in self.chosen),
            there=len(self.sources.files),
            base=known[0].base if known else None,
            remarks=tuple(remarks),
            not_checked=tuple(dict.fromkeys(self._not_checked)),
        )

    def _judge(self) -> dict[File, Verdict]:
        texts = {file: text for file in self.chosen if (text := readable(file)) is not None}
        by_checksum = {file.migration.checksum: text for file, text in texts.items()}
        found = verdicts(by_checksum, Cache(self.asked.environ, self.asked.also), self.asked.also)
        return {file: found[file.migration.checksum] for file in texts}

    def _about_folder(self, folder: Path, judged: Mapping[File, Verdict]) -> Iterator[Remark]:
        files = [file for file in self.sources.files if file.folder == folder]
        changes = self._changes.get(folder)
        fresh = [file for file in self.chosen if file.folder == folder and (not changes or changes.is_new(file))]
        named = [file for file in self.chosen if file.folder == folder] if self.asked.everything else fresh
        yield from about_folder(folder)
        yield from about_names(files, named, convention(self.asked.naming), self.asked.now)
        if changes is not None:
            yield from about_changes(changes, folder, files)
            yield from about_git(changes, files)
            yield from about_schema(changes, folder, fresh, judged)


def _places(sources: Sources) -> Iterable[Path]:
    return dict.fromkeys((*sources.folders, *map(_place, sources.files)))


def _place(file: File) -> Path:
    return file.folder or file.path.parent


def _about(file: File, verdict: Verdict | None) -> Iterable[Remark]:
    yield from about_file(file)
    yield from about_verify(file)
    yield from about_rollback(file)
    if verdict is None:
        return
    if not verdict.lines and not verdict.fault:
        yield m.EMPTY.remark(file.path, "there is no statement in it")
    elif not verdict.lines:
        words = f"it cannot be read: {verdict.fault}"
        yield Remark(file.path, Finding("not-analysed", "stop", m.NO_STATEMENT, verdict.fault_line, words))
    yield from (Remark(file.path, finding) for finding in verdict.findings)


def _checked(file: File, verdict: Verdict | None) -> Checked:
    sha256 = "" if file.migration.data is None else file.migration.checksum
    if verdict is None:
        return Checked(file.name, file.path, sha256, fault=file.migration.problem or "it is no text")
    fault = verdict.fault if not verdict.lines else ""
    return Checked(file.name, file.path, sha256, verdict.lines, verdict.unread, fault)
