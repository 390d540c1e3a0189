"""What git had at the commit that a change is held against."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from migrations.asking import Answer, ask
from migrations.problem import Misuse, Problem, Unavailable

USUAL = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)
PIPELINES = ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "BITBUCKET_PR_DESTINATION_BRANCH")
"""Variables in which a pipeline names the branch that a change is meant for."""


@dataclass(frozen=True, slots=True)
class Base:
    """`ref` as it was named, and the commit where the change left it.

    `tip`: where that cannot be told, since no commit is in both histories, it is the newest of `ref`.
    """

    ref: str
    commit: str
    tip: bool = False

    @property
    def words(self) -> str:
        """For people: `origin/main (3f2a1bc)`."""
        short = self.commit[:7]
        return self.ref if self.ref.startswith(short) else f"{self.ref} ({short})"


class Repository:
    """A git work tree. Nothing is written to it."""

    def __init__(self, top: Path) -> None:
        self.top = top

    @classmethod
    def of(cls, folder: Path) -> "Repository":
        """The work tree that a folder is in. Raises Problem with git's own words if it is in none."""
        here = cls(folder)
        found = here._git("rev-parse", "--show-toplevel")
        if found.code != 0:
            words = _words(found)
            raise Problem(words if "not a git repository" not in words else f"{folder} is in no git work tree")
        return cls(Path(os.fsdecode(found.out.rstrip(b"\n"))))

    def base(self, ref: str | None, environ: Mapping[str, str]) -> Base:
        """The commit where HEAD left `ref`; without one, where it left the branch that it is likely meant for.

        Raises Misuse for a ref that git does not know, Problem where there is nothing to compare with.
        """
        if self._commit("HEAD") is None:
            raise Problem("git has no commit yet")
        name = ref or _named(environ) or self._usual()
        commit = self._commit(name)
        if commit is None:
            raise Misuse(
                f"git knows no commit {name} in {self.top}.",
                advice="Correct its name, or fetch it: in a pipeline often with the whole history (`fetch-depth: 0`).",
            )
        merge = self._git("merge-base", commit, "HEAD")
        return Base(name, os.fsdecode(merge.out.strip())) if merge.code == 0 else Base(name, commit, tip=True)

    def _usual(self) -> str:
        found = self._git("for-each-ref", "--format=%(refname)", *USUAL).out.decode().split()
        first = next((ref for ref in USUAL if ref in found), None)
        if first is None:
            raise Problem("there is no branch main or master to compare with; name one by --base")
        return first.removeprefix("refs/remotes/").removeprefix("refs/heads/")

    def _commit(self, ref: str) -> str | None:
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return found.out.decode().strip() if found.code == 0 else None

    def files_at(self, commit: str, folder: Path) -> dict[Path, str]:
        """The files under a folder in a commit, each with the id of its content. Raises Problem."""
        listed = self._git("ls-tree", "-r", "-z", "--full-tree", commit, "--", *self._inside(folder))
        if listed.code != 0:
            raise Problem(_words(listed))
        found = {}
        for entry in filter(None, listed.out.split(b"\0")):
            about, _, name = entry.partition(b"\t")
            found[self.top / os.fsdecode(name)] = about.split()[2].decode()
        return found

    def tracked(self, folder: Path) -> frozenset[Path]:
        """The files under a folder that git knows of. Raises Problem."""
        listed = self._git("--literal-pathspecs", "ls-files", "-z", "--", *self._inside(folder))
        if listed.code != 0:
            raise Problem(_words(listed))
        return frozenset(self.top / os.fsdecode(name) for name in listed.out.split(b"\0") if name)

    def ignored(self, files: Iterable[Path]) -> frozenset[Path]:
        """Those of some files that git is told to ignore."""
        asked = b"\0".join(os.fsencode(file) for file in files)
        said = self._git("check-ignore", "-z", "--stdin", stdin=asked).out
        return frozenset(Path(os.fsdecode(name)) for name in said.split(b"\0") if name)

    def content(self, id: str) -> bytes:
        """The bytes that an id stands for. Raises Problem."""
        found = self._git("cat-file", "blob", id)
        if found.code != 0:
            raise Problem(_words(found))
        return found.out

    def _inside(self, folder: Path) -> tuple[str, ...]:
        return () if folder == self.top else (str(folder.relative_to(self.top)),)

    def _git(self, *words: str, stdin: bytes = b"") -> Answer:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env = {**inherited, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        try:
            return ask(["git", *words], cwd=self.top, env=env, stdin=stdin)
        except Unavailable as error:
            raise Problem(error.what) from None


def _named(environ: Mapping[str, str]) -> str | None:
    branch = next((environ[name] for name in PIPELINES if environ.get(name)), None)
    return f"origin/{branch}" if branch else None


def _words(answer: Answer) -> str:
    """git's own words, on one line."""
    first = answer.err.strip().partition("\n")[0]
    return first.removeprefix("fatal: ")


def blob_id(data: bytes, like: str) -> str:
    """The id that git gives to some bytes, in the form of another id (SHA-1 or SHA-256)."""
    digest = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return digest(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
