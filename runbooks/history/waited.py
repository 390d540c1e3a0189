"""How many waited while a migration was applied elsewhere, as this machine's journals of that environment have it."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from migrations.problem import Problem
from runbooks.history.sessions import folders
from runbooks.history.skimmed import skim


@dataclass(frozen=True, slots=True)
class Waited:
    """The most sessions that were seen behind a migration's statements, and the longest wait in microseconds."""

    session: str
    behind: int = 0
    longest: int = 0


@dataclass(slots=True)
class _Session:
    rows: dict[str, str] = field(default_factory=dict)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)


def waited(root: Path, environment: str, rows: Collection[str]) -> dict[str, Waited]:
    """By ledger row, of the sessions that applied them; what no readable journal has is left out."""
    found: dict[str, Waited] = {}
    for folder in folders(root, environment):
        if len(found) == len(rows):
            break
        session = _Session()
        try:
            for data in _progress(folder, rows):
                _take(session, data)
        except (Problem, OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        for row, name in session.rows.items():
            if row in rows and row not in found:
                found[row] = Waited(folder.name, *session.seen.get(name, (0, 0)))
    return found


def _progress(folder: Path, rows: Collection[str]) -> Iterator[dict[str, object]]:
    """What applying told of these rows, and of those who waited; the chain is not checked here."""
    wanted = [b'"queue":', *(f'"row":"{row}"'.encode() for row in rows)]
    for tail, line in skim(folder):
        if tail.kind == "step_progress" and any(each in line for each in wanted):
            yield json.loads(line)["data"]["data"]


def _take(session: _Session, data: dict[str, object]) -> None:
    label = str(data.get("label", ""))
    name = label.partition("  ")[2]
    if isinstance(row := data.get("row"), str):
        session.rows[row] = str(data.get("name") or name)
    if isinstance(queue := data.get("queue"), dict):
        behind, longest = session.seen.get(name, (0, 0))
        session.seen[name] = (max(behind, int(queue["behind"])), max(longest, int(queue["longest_us"])))
