"""What the sessions on this machine know of the backups of a database: which dumps were read back, and tried."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from migrations.problem import Problem
from runbooks.history.sessions import folders, tail_of
from runbooks.journal import NAME
from runbooks.journal.files import open_to_read, read_lines
from runbooks.session.event_parts import Target
from runbooks.session.events import StepEnded

MOST = 100
"""So many sessions are looked at."""
_DUMP = ('"path":', '"sha256":', '"taken_at":')
_TEST = ('"tested_at":', '"restored_us":')


@dataclass(frozen=True, slots=True)
class Kept:
    """A dump that a session read back. `taken_at` is RFC 3339 UTC; `state` is the file that a restore is compared
    with. `open`: the session has not ended."""

    session: str
    path: Path
    sha256: str
    bytes: int
    taken_at: str
    state: Path
    open: bool


@dataclass(frozen=True, slots=True)
class Tested:
    """A dump that was restored and found equal, `at` (RFC 3339 UTC), in `took_us` microseconds."""

    session: str
    at: str
    took_us: int


@dataclass(frozen=True, slots=True)
class Backups:
    """Newest first."""

    dumps: tuple[Kept, ...] = ()
    tests: tuple[Tested, ...] = ()


def database_of(target: Target) -> str:
    """What a backup is of: a restored database is the same one, whatever its OID."""
    return f"{target.system_identifier}/{target.database}"


def backups(root: Path, environment: str, database: str, *, besides: str = "") -> Backups:
    """Of sessions on this environment, one left out. What cannot be read is passed over; the chain is not checked."""
    dumps, tests = list[Kept](), list[Tested]()
    for folder in islice(folders(root, environment), MOST):
        if folder.name == besides:
            continue
        try:
            found = _session(folder, database)
        except (Problem, ValueError, KeyError, TypeError):
            continue
        dumps += found.dumps
        tests += found.tests
    return Backups(
        tuple(sorted(dumps, key=lambda one: one.taken_at, reverse=True)),
        tuple(sorted(tests, key=lambda one: one.at, reverse=True)),
    )


def _session(folder: Path, database: str) -> Backups:
    dumps, tests, ended, here = list[dict[str, Any]](), list[dict[str, Any]](), False, False
    for kind, line in _records(folder):
        if kind == "plan_made":
            here = database_of(Target.model_validate(json.loads(line)["data"]["target"])) == database
        elif kind == "session_ended":
            ended = True
        elif kind == "step_ended" and (found := _result(line)):
            (tests if "restored_us" in found else dumps).append(found)
    if not here:
        return Backups()
    return Backups(
        tuple(_kept(folder, one, not ended) for one in dumps),
        tuple(Tested(folder.name, str(one["tested_at"]), int(one["restored_us"])) for one in tests if one["equal"]),
    )


def _kept(folder: Path, result: dict[str, Any], open: bool) -> Kept:
    return Kept(
        session=folder.name,
        path=Path(str(result["path"])),
        sha256=str(result["sha256"]),
        bytes=int(result["bytes"]),
        taken_at=str(result["taken_at"]),
        state=folder / str(result["state"]),
        open=open,
    )


def _result(line: bytes) -> dict[str, Any] | None:
    """What a step that ended well has found, if that is a dump or the test of one."""
    if not any(all(key.encode() in line for key in keys) for keys in (_DUMP, _TEST)):
        return None
    ended = StepEnded.model_validate(json.loads(line)["data"])
    good = ended.end == "done" and ended.outcome in ("ok", "warn")
    return ended.result if good and ("restored_us" in ended.result or "bytes" in ended.result) else None


def _records(folder: Path) -> Iterator[tuple[str, bytes]]:
    for seq, line in enumerate(read_lines(open_to_read(folder / NAME))):
        tail = tail_of(line, seq)
        if tail is None:
            return
        yield tail.kind, line
