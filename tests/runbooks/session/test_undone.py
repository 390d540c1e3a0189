"""A decision is written before it takes effect: a runner that dies in between owes it."""

from collections.abc import Sequence

import pytest

from runbooks.session import events as e
from runbooks.session.undone import undone
from runbooks.session.view import fold
from tests.runbooks.conftest import ANA, opening

ENGINE = ANA.model_copy(update={"how": "engine"})
OPEN = e.PhaseOpened(phase="backup")


def decided(what: str, by: e.By = ANA, **over: str) -> e.Decided:
    return e.Decided.model_validate({"what": what, "phase": "backup", "by": by, **over})


@pytest.mark.parametrize(
    ("events", "owed"),
    [
        ([OPEN, decided("go")], "go"),
        ([OPEN, decided("go"), e.PhaseOpened(phase="preflight")], None),
        ([OPEN, decided("roll_back", option="restore")], "roll_back"),
        ([OPEN, decided("roll_back", option="restore"), e.PhaseOpened(phase="rollback", option="restore")], None),
        ([OPEN, decided("no_go", by=ENGINE)], "no_go"),
        ([OPEN, decided("no_go")], None),
        ([OPEN, decided("end")], "end"),
        ([OPEN, decided("end"), e.SessionEnded(outcome="no_go", exit_code=1)], None),
        ([OPEN, decided("cancel")], None),
        ([OPEN], None),
    ],
)
def test_only_what_has_not_followed_yet_is_owed(events: Sequence[e.Event], owed: str | None) -> None:
    view = fold((seq, "2026-01-31T02:03:04.000000Z", event) for seq, event in enumerate([opening(), *events]))
    found = undone(view)
    assert (found.what if found else None) == owed
