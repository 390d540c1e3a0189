"""Who waits for whom, and what is tried again, in lines for where there is no screen."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from migrations.listed import many
from runbooks.session.events import StepProgress


class QueueTold:
    """Says it when somebody new holds us up, when somebody begins to wait behind us, and with each new try."""

    def __init__(self) -> None:
        self._said: object = None

    def lines(self, event: StepProgress) -> list[str]:
        """What is new in this event."""
        note, queue = event.data.get("note"), event.data.get("queue")
        if event.data.get("event") == "Retried" and isinstance(note, str):
            return [f"  ! {note}"]
        rows = [one for one in _list(queue) if isinstance(one, dict)]
        said = (event.step, event.attempt, *(one.get("pid") for one in rows if one.get("role") != "behind"))
        now = (*said, any(one.get("role") == "behind" for one in rows))
        if not rows or now == self._said:
            return []
        self._said = now
        return list(_lines(rows, queue if isinstance(queue, dict) else {}))


def _list(queue: JsonValue) -> list[JsonValue]:
    rows = queue.get("rows") if isinstance(queue, dict) else None
    return rows if isinstance(rows, list) else []


def _lines(rows: list[dict[str, JsonValue]], queue: Mapping[str, JsonValue]) -> Iterator[str]:
    for one in rows:
        depth, took = one.get("depth"), one.get("took")
        length = f", for {took / 1_000_000:.1f} s" if isinstance(took, int) and took else ""
        yield f"  {'  ' * (depth if isinstance(depth, int) else 0)}· {' '.join(str(one.get('text')).split())}{length}"
    behind = queue.get("behind")
    if isinstance(behind, int) and behind > 1:
        yield f"    {many(behind, 'session waits', 'sessions wait')} behind it"
