"""A frozen value with something changed is what `dataclasses.replace` makes of it."""

from dataclasses import FrozenInstanceError, replace

import pytest

from runbooks.session.changed import changed
from runbooks.session.view import RunView, StepView


def test_it_is_as_replace_makes_it_and_leaves_the_first_alone() -> None:
    view = RunView(seq=3, steps={"a": StepView(attempt=2)})
    new = changed(view, at="x", seq=4)
    assert new == replace(view, at="x", seq=4) and (view.seq, view.at) == (3, "")
    with pytest.raises(FrozenInstanceError):
        new.seq = 5  # type: ignore[misc]
    with pytest.raises(KeyError):
        changed(view, nothing=1)
