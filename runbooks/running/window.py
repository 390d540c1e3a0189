"""How the maintenance windows of a session stand by the server's clock, as the journal keeps it."""

from dataclasses import replace
from datetime import UTC, datetime

from runbooks.session.events import WINDOW, StepProgress
from runbooks.session.fitting import fit
from runbooks.session.view import RunView, StepView, as_of


def window_told(view: RunView, why: str, ahead: int, within: int) -> StepProgress:
    """A record of it. `ahead` of this machine's clock, known to `within` either way, in microseconds."""
    read = StepView(progress={"ahead": ahead})
    now = as_of(replace(view, steps={**view.steps, WINDOW: read}), datetime.now(UTC))
    found = fit(now)
    assert found is not None
    data = {"label": found.words, "why": why, "open": found.window.now is not None, "ahead": ahead, "within": within}
    return StepProgress(step=WINDOW, attempt=1, data=data)
