"""Where the names and keys of those come from who may approve: a place that the operator does not write."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migrations.asking import ask
from migrations.problem import Misuse, Problem
from runbooks.settings.project import FILE, Environment, Project
from runbooks.signing import AllowedSigners

WHICH = 'Set `signers_from = "origin/main:FILE"`, or `signers = "/etc/…"`: docs/approvals.md says how.'
REMOTE = "refs/remotes/"


@dataclass(frozen=True, slots=True)
class Source:
    """The signers, and the commit that they are from, where they are from one."""

    signers: AllowedSigners
    commit: str = ""


def read_signers(
    project: Project, environment: Environment, environ: Mapping[str, str] = os.environ, *, writes: bool = False
) -> Source:
    """Who may sign for an environment. Raises Misuse: not said, not there, or not out of the reader's reach.

    `writes`: whoever reads may write it, since nothing is decided by that.
    """
    if environment.signers_from is not None:
        return _from_branch(project.folder, environment.signers_from, environ)
    if environment.signers is not None:
        path = project.folder / environment.signers
        if not writes:
            _out_of_reach(path)  # nothing on the way to it can be changed until it is read
        return Source(AllowedSigners.read(path))
    raise Misuse(f"{FILE} does not say who may approve for {environment.name}.", advice=WHICH)


def _from_branch(folder: Path, where: str, environ: Mapping[str, str]) -> Source:
    branch, _, path = where.partition(":")
    env = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    env["GIT_NO_REPLACE_OBJECTS"] = "1"  # else this checkout could give that commit another content

    def git(*arguments: str) -> bytes | None:
        answer = ask(["git", *arguments], cwd=folder, env=env)
        return answer.out if answer.code == 0 else None

    full = (git("rev-parse", "--symbolic-full-name", "--verify", "--quiet", branch) or b"").decode("utf-8", "replace")
    if not full.startswith(REMOTE):
        raise Misuse(
            f"{branch} is no branch of a remote here, so what it has of {path} may be anybody's.",
            advice=f"Name the protected branch as git knows it, such as origin/main, in {FILE}; `git fetch` first.",
        )
    commit = (git("rev-parse", "--verify", "--quiet", f"{full.strip()}^{{commit}}") or b"").decode().strip()
    text = git("cat-file", "blob", f"{commit}:{path}")
    if text is None:
        raise Misuse(f"{branch} has no file {path}.", advice="`git fetch`, or correct `signers_from`.")
    return Source(AllowedSigners.parse(text, shown=f"{where} at {commit[:12]}"), commit)


def _out_of_reach(path: Path) -> None:
    """Raises Misuse if whoever runs this could write the file, or put another one in its place."""
    try:
        real = path.resolve(strict=True)
        if str(real) != os.path.abspath(path):  # noqa: PTH100, a Path would follow the links
            raise Misuse(
                f"{path} names who may approve, and a link leads from there to {real}.",
                advice="Name that file itself: a link can be turned.",
            )
        ours = next((p for p in (real, *real.parents) if _is_ours(p)), None)
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}.", advice="It names who may approve.") from None
    if ours is not None:
        raise Misuse(
            f"{path} names who may approve, and you could change it yourself: {ours} is yours to write.",
            advice="Let another account own it and every folder above it, or use `signers_from`.",
        )


def _is_ours(path: Path) -> bool:
    return path.stat().st_uid == os.geteuid() or os.access(path, os.W_OK)


def principal_of(source: Source, key: bytes, claimed: str | None) -> str:
    """Whose key it is. Raises Problem if nobody's, or not that of the name that was claimed."""
    named = source.signers.owner(key)
    if named is None:
        raise Problem(f"{source.signers.shown} does not name this key.", advice="Whoever keeps that file adds people.")
    if claimed is not None and claimed != named.principal:
        raise Problem(f"This key is that of {named.principal}, not of {claimed}.", advice="Leave --as out.")
    return named.principal
