"""The heads that a target keeps, against the journals in the session folder: whether each is there, and unchanged."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import psycopg

from migrations.own import heads
from migrations.own.heads import Kept
from migrations.problem import Problem
from migrations.target import environment_mark
from migrations.target.connecting import told
from runbooks.journal import NAME
from runbooks.journal.heads import Head
from runbooks.journal.named import Artefact, compare
from runbooks.journal.verify import Verdict, verify
from runbooks.planning.identity import judge
from runbooks.settings.project import Environment, Project
from runbooks.settings.setting import read_urls, target_of


@dataclass(frozen=True, slots=True)
class Known:
    """A session that the target knows: where it ran, and what was last noted of it.

    `verdict` is None if the session folder lacks it, and `why` says so if its journal cannot be read.
    """

    session: str
    environment: str
    host: str
    seq: int
    at: str
    verdict: Verdict | None = None
    artefacts: tuple[Artefact, ...] = ()
    why: str = ""


async def kept_heads(project: Project, environment: Environment, environ: Mapping[str, str]) -> list[Kept]:
    """What the environment's database keeps. Raises Misuse, Problem, Unavailable."""
    target = target_of(environment, read_urls(environment, environ))
    connection = await target.open("read", application_name="gonogo transcript verify")
    try:
        assert target.pin is not None
        judge(project, environment, target.pin, await environment_mark(connection))
        return await heads.read(connection)
    except psycopg.Error as error:
        raise told(error, lost=error.sqlstate is None, where=target.url.shown) from None
    finally:
        await connection.close()


def heads_of(session: str, kept: Iterable[Kept]) -> list[Head]:
    """The heads of one session."""
    return [Head(one.head, one.seq) for one in kept if one.session == session]


def compared(root: Path, kept: Iterable[Kept]) -> Iterator[Known]:
    """Each session that the target knows, by its name, verified with its heads if it lies in `root`."""
    by_session = sorted(kept, key=attrgetter("session"))
    for session, group in groupby(by_session, key=attrgetter("session")):
        yield _known(root, session, list(group))


def _known(root: Path, session: str, kept: list[Kept]) -> Known:
    last = max(kept, key=lambda one: one.seq)
    known = (session, last.environment, last.host, last.seq, f"{last.at:%Y-%m-%dT%H:%M:%S%z}")
    folder = root / Path(session).name  # whoever writes into the table names files of ours in it
    if not (folder / NAME).exists():
        return Known(*known)
    try:
        verdict = verify(folder / NAME, heads_of(session, kept))
        return Known(*known, verdict, tuple(compare(folder, verdict.named)))
    except Problem as problem:
        return Known(*known, why=problem.what)
