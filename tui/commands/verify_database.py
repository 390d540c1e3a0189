"""`gonogo transcript verify --database`: journals against the heads that the register in a target has of them."""

import asyncio
import os
import sys
from pathlib import Path

import click

from migrations.own.heads import Kept
from migrations.problem import Misuse
from runbooks.anchoring.heads_compared import compared, heads_of, kept_heads
from runbooks.history.places import Place, place
from runbooks.history.sessions import sessions_root
from runbooks.journal import read
from runbooks.journal.grade import Grade
from runbooks.journal.heads import Head
from runbooks.journal.records import opened
from tui.commands.verify_known import holds, known_json, known_line


def kept_of(journal: Path | None, database: str, project_file: Path | None) -> list[Head]:
    """What the register has of one session. Raises Misuse if that is nothing."""
    if journal is None:
        raise Misuse("What comes by standard input has no name.", advice="Name the session's folder or journal.")
    first = next(read(journal), None)
    if first is None:
        raise Misuse(f"{journal} holds no record.", advice="Leave --database out.")
    session = opened(first).session
    found = heads_of(session, _kept(database, project_file)[1])
    if not found:
        raise Misuse(f"The register of {database} has no head of {session}.", advice="Leave --database out.")
    return found


def verify_known(database: str, at_least: Grade, as_json: bool, project_file: Path | None) -> None:
    """Tell of every session that the register knows; exit 1 unless each is here, and reaches the grade."""
    here, kept = _kept(database, project_file)
    known = list(compared(sessions_root(here.project, os.environ), kept))
    click.echo(known_json(known) if as_json else "\n".join(map(known_line, known)) or "the register knows no session")
    sys.exit(0 if all(holds(one, at_least) for one in known) else 1)


def _kept(database: str, project_file: Path | None) -> tuple[Place, list[Kept]]:
    here = place(project_file)
    environment = here.project.environment(database)
    return here, asyncio.run(kept_heads(here.project, environment, os.environ))
