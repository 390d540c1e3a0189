"""The scripts held against the commit that the change began at: new, edited, gone, in which order."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrations.folder import SCRIPT, Migration, same_checksum
from migrations.listed import listed
from migrations.naming import order_key
from runbooks.check import matters as m
from runbooks.check.base import Base, Repository, blob_id
from runbooks.check.report import NAMED, Remark
from runbooks.check.sources import File


@dataclass(frozen=True, slots=True)
class Changes:
    """One place in a work tree: what the base had there and in Prisma's schema beside it (`before`), and what git
    knows of (`tracked`)."""

    repository: Repository
    base: Base
    before: Mapping[Path, str]
    tracked: frozenset[Path]
    _edited: dict[Path, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, repository: Repository, base: Base, place: Path) -> "Changes":
        """Read what the base had in a folder and beside it. Raises Problem."""
        beside = place.parent if place.parent.is_relative_to(repository.top) else place
        before = repository.files_at(base.commit, beside)
        if not any(path.name == SCRIPT and path.is_relative_to(place) for path in before):
            before |= _moved_to(place, repository.files_at(base.commit, repository.top))
        return cls(repository, base, before, repository.tracked(place))

    def is_new(self, file: File) -> bool:
        """The base did not have it."""
        return file.path not in self.before

    def is_edited(self, file: File) -> bool:
        """The base had it, with another text. Line ends do not count: Prisma's checksum does not mind them."""
        if file.path not in self._edited:
            self._edited[file.path] = self._differs(file)
        return self._edited[file.path]

    def _differs(self, file: File) -> bool:
        id, data = self.before.get(file.path), file.migration.data
        if id is None or data is None or _has_id(file, id):
            return False
        was = Migration(file.name, file.path, self.repository.content(id))
        return not same_checksum(was.checksum, file.migration.text)

    def is_changed(self, file: File) -> bool:
        """It is new, or edited."""
        return self.is_new(file) or self.is_edited(file)

    def migrations_before(self, folder: Path) -> list[str]:
        """The names of the migrations that the base had in a folder, in their order."""
        names = [path.parent.name for path in self.before if path.name == SCRIPT and path.parent.parent == folder]
        return sorted(names, key=order_key)


def _moved_to(place: Path, before: Mapping[Path, str]) -> dict[Path, str]:
    """What stood in the folder that became this one: it is not there any more, and had a migration of the same name."""
    names = {entry.name for entry in place.iterdir()}
    folders = (path.parent.parent for path in before if path.name == SCRIPT and path.parent.name in names)
    old = next((folder for folder in folders if not folder.exists()), None)
    if old is None:
        return {}
    return {place / path.relative_to(old): id for path, id in before.items() if path.is_relative_to(old)}


def about_changes(changes: Changes, folder: Path, files: list[File]) -> Iterator[Remark]:
    """What was done to migrations that databases may have applied, and new ones that come too early."""
    before = changes.migrations_before(folder)
    for file in files:
        if changes.is_edited(file):
            words = f"it is not as it was in {changes.base.words}"
            yield m.EDITED.remark(file.path, words, line=_first_line(changes, file))
    here = {file.name for file in files if file.migration.data is not None}
    gone = [name for name in before if name not in here]
    for file in files:
        if not changes.is_new(file):
            continue
        if old := next((name for name in gone if _has_id(file, changes.before[folder / name / SCRIPT])), None):
            gone.remove(old)
            yield m.RENAMED.remark(file.path, f"it was called {old} in {changes.base.words}")
        elif before and order_key(file.name) < order_key(before[-1]):
            yield m.ORDER.remark(file.path, f"it comes before {before[-1]}, which {changes.base.words} has already")
    if gone:
        yield m.GONE.remark(folder, f"{listed(gone, NAMED)} of {changes.base.words}")


def _has_id(file: File, id: str) -> bool:
    """Whether git would know the script by this id. Of a link it keeps where it leads, not what is there."""
    data = os.fsencode(file.path.readlink()) if file.path.is_symlink() else file.migration.data
    return data is not None and blob_id(data, id) == id


def _first_line(changes: Changes, file: File) -> int:
    """The first line that differs."""
    was = changes.repository.content(changes.before[file.path]).splitlines()
    now = (file.migration.data or b"").splitlines()
    common = min(len(was), len(now))
    same = next((number for number in range(common) if was[number] != now[number]), common)
    return min(same + 1, max(len(now), 1))


def about_git(changes: Changes, files: list[File]) -> Iterator[Remark]:
    """Scripts that git does not know of."""
    loose = [file for file in files if file.migration.data is not None and file.path not in changes.tracked]
    ignored = changes.repository.ignored([file.path for file in loose]) if loose else frozenset[Path]()
    for file in loose:
        if file.path in ignored:
            yield m.UNTRACKED.remark(file.path, "git is told to ignore it", instead="Correct .gitignore, then git add.")
        else:
            yield m.UNTRACKED.remark(file.path, "it is not in git")
