"""Follow-ups that somebody has done: each a file beside the journal, which had ended by then."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from migrations.problem import Misuse, Problem
from runbooks.journal.artefacts import make_folder, write_private
from runbooks.session.events import By
from runbooks.session.follow_ups import Owed
from runbooks.session.frozen import Frozen

PLACE = "follow-ups"
LARGEST = 65_536


class Done(Frozen):
    """Who says that it is done, when and how. `head` is that of the session's record, and claims no more than that."""

    follow_up: str
    note: str
    at: str
    head: str
    by: By


def done_in(folder: Path, owed: Iterable[Owed], head: str) -> dict[str, Done]:
    """Those of a session that are done, by their ids; what is of another record, or cannot be read, does not count."""
    found = {one.id: _read(folder / PLACE / f"{one.id}.json") for one in owed}
    return {name: done for name, done in found.items() if done is not None and done.head == head}


def _read(path: Path) -> Done | None:
    try:
        with path.open("rb") as file:
            return Done.model_validate_json(file.read(LARGEST))
    except (OSError, ValueError):
        return None


def settle(folder: Path, owed: Iterable[Owed], head: str, name: str, note: str, by: By) -> Done:
    """Write down that one is done. Raises Misuse (there is none of that name, it is done, no note), Unavailable."""
    known = {one.id: one for one in owed}
    if name not in known:
        there = ", ".join(known) or "none"
        raise Misuse(f"{folder.name} left no follow-up {name}; it left: {there}.", advice="`gonogo follow-ups list`")
    if (before := done_in(folder, known.values(), head).get(name)) is not None:
        raise Problem(f"{name} is done: {before.by.name}, {before.at[:10]}: {before.note}")
    if not note.strip():
        raise Misuse("Say how it was done, such as a ticket or a commit.")
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    done = Done(follow_up=name, note=note.strip(), at=at, head=head, by=by)
    try:
        make_folder(folder / PLACE)
    except OSError as error:
        raise Problem(f"{folder / PLACE} cannot be made: {error.strerror}.") from None
    text = json.dumps(done.model_dump(mode="json"), indent=2, ensure_ascii=False)
    write_private(folder / PLACE / f"{name}.json", f"{text}\n".encode())
    return done
