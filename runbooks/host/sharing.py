"""`group =` in gonogo.toml: the accounts of one Unix group watch each other's sessions, and take the pen there."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrations.problem import Misuse, Unavailable
from runbooks.host.peers import account_of, in_group
from runbooks.journal.artefacts import mode_in
from runbooks.settings.project import FILE, Project

SHARED = stat.S_ISGID | 0o750
"""The mode of a session folder that a group may read. journal/artefacts.py has what is made in it take after it."""
MANY = 20
FIRST_PERSON = 1000
"""Accounts below this uid are of services, but for root."""


@dataclass(frozen=True, slots=True)
class Circle:
    """The group of a project."""

    name: str
    gid: int


def circle_of(project: Project) -> Circle | None:
    """The group that a project names; None if it names none. Raises Misuse where it cannot be what is meant."""
    if project.group is None:
        return None
    try:
        circle = Circle(project.group, grp.getgrnam(project.group).gr_gid)
    except KeyError:
        raise Misuse(f"There is no group {project.group} on this host.", advice=f"Correct `group` in {FILE}.") from None
    if os.geteuid() != 0 and circle.gid not in (os.getegid(), *os.getgroups()):
        raise Misuse(f"This login is not in the group {circle.name}.", advice="Log in anew after you were added to it.")
    if any(in_group(uid, circle.gid) for uid in _nobody()):
        raise Misuse(
            f"The group {circle.name} holds the account nobody, under which services run.",
            advice=f"Name a group of people as `group` in {FILE}.",
        )
    return circle


def members(gid: int) -> list[str]:
    """The accounts of a group, as far as this host lists them."""
    first = [account.pw_name for account in pwd.getpwall() if account.pw_gid == gid]
    return sorted({*first, *grp.getgrgid(gid).gr_mem})


def told(circle: Circle) -> tuple[Literal["ok", "warn"], str, str]:
    """Outcome, evidence and advice for the opening: who may watch, and whether these are too many."""
    who = members(circle.gid)
    services = [name for name in who if _is_service(name)]
    more = f" and {len(who) - MANY} more" if len(who) > MANY else ""
    words = f"{circle.name}: {', '.join(who[:MANY]) or 'nobody that this host lists'}{more}"
    if services:
        return "warn", words, f"Services run as {', '.join(services)}: whoever breaks into one may decide here."
    if len(who) > MANY:
        return "warn", words, "All of these may watch, and take the pen: is that meant?"
    return "ok", words, ""


def making(path: Path, circle: Circle) -> str:
    """How an administrator makes the folder for sessions."""
    return f"As root: install -d -o root -g {circle.name} -m 3770 {path}"


def must_be_shared(root: int, path: Path, circle: Circle) -> None:
    """The folder for sessions, opened as `root`. Raises Unavailable where others than the group could meddle."""
    status = os.fstat(root)
    owner = status.st_uid
    meddled = status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and not status.st_mode & stat.S_ISVTX)
    strange = owner not in (0, os.geteuid()) and not in_group(owner, circle.gid)
    if status.st_gid == circle.gid and not meddled and not strange:
        return
    what = "is of another group" if status.st_gid != circle.gid else "can be changed by others"
    if strange:
        what = f"belongs to {account_of(owner)}"
    raise Unavailable(
        f"{path} {what}: it is not for the sessions of {circle.name}.",
        advice=making(path, circle),
    )


def share(folder: int, circle: Circle) -> None:
    """Let the group read a new session folder, and what will be in it. Raises OSError."""
    os.fchown(folder, -1, circle.gid)
    os.fchmod(folder, SHARED)


def shared_with(folder: Path) -> int | None:
    """The gid of the group that may read a session folder; None if it is for its owner alone. Raises OSError."""
    status = folder.lstat()
    return status.st_gid if stat.S_ISDIR(status.st_mode) and mode_in(folder) == 0o640 else None


def may_attach(uid: int, folder: Path, circle: Circle | None) -> bool:
    """Whether an account may be a face of a session of ours: it is ours, or of the group that the folder is for."""
    if uid == os.getuid():
        return True
    return circle is not None and shared_with(folder) == circle.gid and in_group(uid, circle.gid)


def runner_of(folder: Path) -> int:
    """The uid that a session's runner must have: who owns the folder. Raises Unavailable for one that nobody shares."""
    status = folder.lstat()
    gid = shared_with(folder)
    ours = status.st_uid == os.getuid()
    if not ours and (gid is None or (gid not in (os.getegid(), *os.getgroups()) and os.getuid() != 0)):
        raise Unavailable(f"{folder} belongs to another account, {account_of(status.st_uid)}.")
    return status.st_uid


def _nobody() -> list[int]:
    return [account.pw_uid for account in pwd.getpwall() if account.pw_name == "nobody"]


def _is_service(name: str) -> bool:
    try:
        return 0 < pwd.getpwnam(name).pw_uid < FIRST_PERSON
    except KeyError:
        return False
