"""What the sessions on this machine know of the backups of a database: which dumps were read back, and tried."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from migrations.problem import Problem
from runbooks.history.sessions import folders
from runbooks.history.skimmed import begun
from runbooks.journal import NAME
from runbooks.session.event_parts import Target
from runbooks.session.events import StepEnded

_DUMP = ('"path":', '"sha256":', '"taken_at":')
_TEST = ('"tested_at":', '"restored_us":')


@dataclass(frozen=True, slots=True)
class Kept:
    """A dump that a session read back. `taken_at` is RFC 3339 UTC; `state` is the file that a restore is compared
    with. `open`: the session has not ended. `ours`: gonogo wrote it, and not a script of the team's."""

    session: str
    path: Path
    sha256: str
    bytes: int
    taken_at: str
    state: Path
    open: bool = False
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Tested:
    """A dump that was restored and found equal, `at` (RFC 3339 UTC), in `took_us` microseconds."""

    session: str
    at: str
    took_us: int


@dataclass(frozen=True, slots=True)
class Backups:
    """Newest first. `needed`: what sessions that have not ended name as a dump, or as the proof of a way back.
    `unread`: sessions of which it is not known what they hold."""

    dumps: tuple[Kept, ...] = ()
    tests: tuple[Tested, ...] = ()
    needed: Mapping[Path, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def database_of(target: Target) -> str:
    """What a backup is of: a restored database is the same one, whatever its OID."""
    return f"{target.system_identifier}/{target.database}"


def backups(
    root: Path, environment: str, database: str, *, besides: str = "", since: datetime | None = None
) -> Backups:
    """Of sessions on this environment, one left out, that have written anything `since`.

    The chain is not checked.
    """
    found = list(_each(root, environment, database, besides, since))
    dumps = [dump for one in found for dump in one.dumps]
    tests = [test for one in found for test in one.tests]
    return Backups(
        tuple(sorted(dumps, key=lambda dump: dump.taken_at, reverse=True)),
        tuple(sorted(tests, key=lambda test: test.at, reverse=True)),
        {path: session for one in found for path, session in one.needed.items()},
        tuple(session for one in found for session in one.unread),
    )


def latest_test(root: Path, environment: str, database: str, *, besides: str = "") -> Tested | None:
    """Of the newest session that tried a restore; older ones are not read."""
    found = _each(root, environment, database, besides, None)
    return next((max(one.tests, key=lambda test: test.at) for one in found if one.tests), None)


def _each(root: Path, environment: str, database: str, besides: str, since: datetime | None) -> Iterator[Backups]:
    """Newest first."""
    for folder in folders(root, environment):
        if folder.name == besides:
            continue
        try:
            written = (folder / NAME).stat()
            if written.st_size and (since is None or written.st_mtime >= since.timestamp()):
                yield _session(folder, database)
        except FileNotFoundError:  # it began nothing
            continue
        except (OSError, Problem, ValueError, KeyError, TypeError):
            yield Backups(unread=(folder.name,))


def _session(folder: Path, database: str) -> Backups:
    found, ended, here = list[dict[str, Any]](), False, False
    _, rest = begun(folder, strict=True)
    for tail, line in rest:
        if tail.kind == "plan_made":
            here = database_of(Target.model_validate(json.loads(line)["data"]["target"])) == database
        elif tail.kind == "session_ended":
            ended = True
        elif tail.kind == "step_ended":
            found += _results(line)
    if not here:
        return Backups()
    tests = [one for one in found if "restored_us" in one and one["equal"]]
    return Backups(
        tuple(kept(folder, one, open=not ended) for one in found if "bytes" in one),
        tuple(Tested(folder.name, str(one["tested_at"]), int(one["restored_us"])) for one in tests),
        {} if ended else {Path(str(one["path"])): folder.name for one in found if one.get("path")},
    )


def kept(folder: Path, result: Mapping[str, Any], *, open: bool) -> Kept:
    """A dump as the step of a session in `folder` found it. Raises KeyError."""
    return Kept(
        session=folder.name,
        path=Path(str(result["path"])),
        sha256=str(result["sha256"]),
        bytes=int(result["bytes"]),
        taken_at=str(result["taken_at"]),
        state=folder / str(result["state"]),
        open=open,
        ours="lsn" in result,
    )


def _results(line: bytes) -> list[dict[str, Any]]:
    """What a step that ended well has found, if that is a dump, the proof of one, or the test of one."""
    if not any(all(key.encode() in line for key in keys) for keys in (_DUMP, _TEST)):
        return []
    ended = StepEnded.model_validate(json.loads(line)["data"])
    return [ended.result] if ended.ended_well else []
