"""The sessions on this machine: where they lie, what they are called, how each one stands."""

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from migrations.listed import many
from migrations.problem import Misuse, Problem, Unavailable
from runbooks.history.done import Done, done_in
from runbooks.host.sharing import Circle, making, must_be_shared, share
from runbooks.journal import NAME
from runbooks.journal.files import open_folder, open_to_read, read_lines
from runbooks.journal.grade import Grade
from runbooks.journal.records import BadRecord, Chain, opened
from runbooks.session.events import SessionEnded, SessionOpened
from runbooks.session.follow_ups import Owed, owed_by
from runbooks.session.series import Series
from runbooks.settings.project import Project

_ID = re.compile(r"\d{8}T\d{6}Z-[A-Za-z0-9_.-]+-[0-9a-f]{4,}", re.ASCII)
_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})","kind":"([a-z_]+)","prev":"[0-9a-f]{64}","seq":(\d{1,16})\}\n\Z')
_TAIL_BYTES = 256

REVIEW = "approvals/review.json"
"""In a session's folder: the review that it owed."""
LARGEST_REVIEW = 65_536


@dataclass(frozen=True, slots=True)
class Summary:
    """How a session stands, as its journal says; the chain is not checked here. `opened_at` is RFC 3339 UTC.

    `review_by`: it went without approval, in an emergency, and is to be reviewed until that day;
    `reviewer`: who is said to have done that.
    `fault` says why it cannot be read further. `outcome` is None until the session has ended.
    """

    id: str
    folder: Path
    environment: str = ""
    ticket: str = ""
    operator: str = ""
    project: str = ""
    opened_at: str = ""
    outcome: str | None = None
    exit_code: int | None = None
    waivers: int = 0
    not_applicable: int = 0
    review_by: str = ""
    reviewer: str = ""
    records: int = 0
    head: str = ""
    running: bool = False
    fault: str = ""
    series: Series | None = None
    follow_ups: tuple[Owed, ...] = ()
    """What it left to be done, done by now or not."""
    done: tuple[Done, ...] = ()
    grade: Grade | None = None
    """None until somebody has verified it: `runbooks.listing.verified`."""

    @property
    def state(self) -> str:
        """How it ended, as its last record says; else `unreadable`, `running` or `unfinished`."""
        standing = "unreadable" if self.fault else "running" if self.running else "unfinished"
        return self.outcome or standing

    @property
    def to_do(self) -> tuple[Owed, ...]:
        """The follow-ups that nobody has done yet."""
        done = {one.follow_up for one in self.done}
        return tuple(one for one in self.follow_ups if one.id not in done)

    @property
    def unfinished(self) -> bool:
        """It can be taken up again: readable, and not ended."""
        return self.outcome is None and not self.fault


@dataclass(frozen=True, slots=True)
class Tail:
    """What the end of a journal's line says; the chain is not checked here."""

    hash: str
    kind: str


def tail_of(line: bytes, seq: int) -> Tail | None:
    """The end of the line of record `seq`; None if that does not stand there, or not yet."""
    found = _TAIL.search(line, max(0, len(line) - _TAIL_BYTES))
    return Tail(found[1].decode(), found[2].decode()) if found and int(found[3]) == seq else None


def state_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Where sessions lie unless `gonogo.toml` says otherwise. A relative XDG_STATE_HOME does not count."""
    return _gonogo_home(environ) / "sessions"


def sessions_root(project: Project, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the sessions of a project lie: its `sessions`, else `state_home`."""
    return project.folder / project.sessions if project.sessions else state_home(environ)


def dumps_folder(project: Project, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the dumps of a project lie: its `dumps`, else beside the sessions of this account."""
    return project.folder / project.dumps if project.dumps else _gonogo_home(environ) / "dumps"


def replays_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where replays of migrations are kept for the next look."""
    return _gonogo_home(environ) / "replays"


def _gonogo_home(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("XDG_STATE_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "state") / "gonogo"


def new_session_id(now: datetime, environment: str, random: Callable[[int], bytes] = os.urandom) -> str:
    """A name such as `20260131T020304Z-staging-7f3a`; sorted by name is sorted by time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{_word(environment)}-{random(2).hex()}"


def _word(environment: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", environment)[:40] or "_"


def create_folder(root: Path, session: str, circle: Circle | None = None) -> Path:
    """A new session folder, 0700, and the folders above it where they are missing; or one that a group may read.

    Raises Unavailable: `root` is a link, another owner's, read-only; Problem: the session is there already.
    """
    folder = root / session
    if circle is None:
        _make_root(root)
    elif not root.exists():
        raise Unavailable(f"{root} is not there.", advice=making(root, circle))
    holder = open_folder(root, own=circle is None)
    try:
        if circle is not None:
            must_be_shared(holder, root, circle)
        os.mkdir(session, 0o700, dir_fd=holder)
        if circle is not None:
            _share(holder, session, circle)
        os.fsync(holder)
    except FileExistsError:
        raise Problem(f"{folder} is there already.", advice="Begin again: a new session gets a new name.") from None
    except OSError as error:
        raise _cannot(folder, error) from None
    finally:
        os.close(holder)
    return folder


def _share(holder: int, session: str, circle: Circle) -> None:
    made = os.open(session, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=holder)
    try:
        share(made, circle)
    finally:
        os.close(made)


def _make_root(root: Path) -> None:
    try:
        for parent in reversed(root.parents):
            parent.mkdir(mode=0o700, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot(root, error) from None


def list_sessions(root: Path) -> list[Summary]:
    """Every session in `root`, newest first; those that cannot be read too, with their `fault`."""
    return [summary(folder) for folder in every(root)]


def every(root: Path) -> list[Path]:
    """The folders of all sessions in `root`, newest first, by their names alone."""
    return [root / name for name in _names(root)]


def find(root: Path, prefix: str | None = None) -> Path:
    """The folder of the session whose id begins or ends so; without `prefix`, of the newest unfinished one.

    Raises Misuse if there is none, or more than one.
    """
    if prefix is None:
        unfinished = next((s for s in list_sessions(root) if s.unfinished and (s.running or _is_ours(s.folder))), None)
        if unfinished is None:
            raise Misuse(f"No unfinished session in {root}.", advice="`gonogo run ENV` begins one.")
        return unfinished.folder
    names = [name for name in _names(root) if name.startswith(prefix) or name.endswith(f"-{prefix}")]
    if prefix in names:
        return root / prefix
    if len(names) > 1:
        some = ", ".join(names[:5]) + (" …" if names[5:] else "")
        raise Misuse(f"{many(len(names), 'session')} match {prefix}: {some}.", advice="Give more of the name.")
    if not names:
        raise Misuse(f"No session in {root} begins or ends with {prefix}.", advice="`gonogo sessions` lists them.")
    return root / names[0]


def _is_ours(folder: Path) -> bool:
    return folder.lstat().st_uid == os.geteuid()


def folders(root: Path, environment: str) -> Iterator[Path]:
    """Where sessions on environments of this name lie, newest first: by their ids alone, nothing is read."""
    word = _word(environment)
    return (root / name for name in _names(root) if name.partition("-")[2].rpartition("-")[0] == word)


def summary(folder: Path) -> Summary:
    """How one session stands."""
    try:
        file = open_to_read(folder / NAME)
    except Problem as problem:
        return Summary(folder.name, folder, fault=problem.what)
    held = _held(file)
    lines = read_lines(file)
    try:
        first = Chain().take(next(lines, b""))
    except BadRecord as bad:
        return Summary(folder.name, folder, running=held, fault=f"its first record does not hold: {bad.fault.what}")
    event = opened(first)
    start = Summary(
        id=folder.name,
        folder=folder,
        project=event.project,
        environment=event.environment,
        series=event.runbook.series if event.mode == "walk" else None,
        ticket=event.ticket,
        operator=event.operator.name,
        review_by=event.emergency.review_by if event.emergency else "",
        opened_at=first.at,
        records=1,
        head=first.hash,
        running=held,
    )
    return _counted(start, lines, event)


def _counted(start: Summary, lines: Iterator[bytes], first: SessionOpened) -> Summary:
    """Look at the ends of the lines only: a journal may have a million."""
    records, waivers, last, fault = start.records, 0, b"", ""
    shrugged, conditions, day = set[str](), frozenset[str](), date.min
    ended: SessionEnded | None = None
    for line in lines:
        tail = _TAIL.search(line, max(0, len(line) - _TAIL_BYTES))
        if tail is None or int(tail[3]) != records:
            fault = f"record {records} does not hold" if line.endswith(b"\n") else ""
            break
        last, records = tail[1], records + 1
        waivers += tail[2] == b"waived"
        if tail[2] in (b"item_ticked", b"item_unticked"):
            _tick(line, shrugged)
        if tail[2] == b"plan_made" and first.runbook.follow_ups:
            conditions = _conditions(line)
        if tail[2] == b"session_ended":
            ended, fault = _ended(line, records - 1)
            day = _day(line) if ended is not None else day
    head = last.decode() or start.head
    found = replace(start, records=records, waivers=waivers, not_applicable=len(shrugged), head=head, fault=fault)
    if ended is None:
        return found
    reviewer = _reviewer(start.folder, head) if start.review_by else ""
    owed = owed_by(first.runbook, conditions, ended.outcome, day, first.mode)
    done = tuple(done_in(start.folder, owed, head).values())
    return replace(
        found, outcome=ended.outcome, exit_code=ended.exit_code, reviewer=reviewer, follow_ups=owed, done=done
    )


def _conditions(line: bytes) -> frozenset[str]:
    """Those that hold by a plan."""
    try:
        return frozenset(json.loads(line)["data"].get("conditions", {}))
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()


def _day(line: bytes) -> date:
    """On which a record was written."""
    return date.fromisoformat(json.loads(line)["at"][:10])


def _reviewer(folder: Path, head: str) -> str:
    """Who is said to have reviewed a session up to its head; the signature is not checked here."""
    try:
        said = json.loads((folder / REVIEW).read_bytes()[:LARGEST_REVIEW])
        return str(said["reviewer"]) if said["head"] == head else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _tick(line: bytes, shrugged: set[str]) -> None:
    """Follow which items are called not applicable."""
    try:
        said = json.loads(line)["data"]
        item, state = str(said["item"]), said.get("state")
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    (shrugged.add if state == "not_applicable" else shrugged.discard)(item)


def _ended(line: bytes, seq: int) -> tuple[SessionEnded | None, str]:
    try:
        return SessionEnded.model_validate(json.loads(line)["data"]), ""
    except (ValueError, KeyError, TypeError):
        return None, f"record {seq} does not hold"


def _held(file: int) -> bool:
    """Whether a runner holds the journal."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _names(root: Path) -> list[str]:
    """The ids of the sessions in `root`, newest first."""
    try:
        return sorted((name for name in (entry.name for entry in root.iterdir()) if _ID.fullmatch(name)), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _cannot(root, error) from None


def _cannot(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"{path} cannot be used for sessions: {error.strerror}.",
        advice="Set XDG_STATE_HOME, or `sessions` in gonogo.toml, to a folder that you can write.",
    )
