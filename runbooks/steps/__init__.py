"""The built-in steps. A step is one file `<noun>_<verb>.py`, found by being there; `uses` is `noun.verb`."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from runbooks.steps.base import StepKind


class Catalogue(Mapping[str, StepKind[Any, Any]]):
    """Steps by their `uses`. Each is imported when it is asked for: no runbook needs them all."""

    def __init__(self) -> None:
        names = [m.name for m in pkgutil.iter_modules(__path__) if m.name != "base" and not m.ispkg]
        self._modules = {name.replace("_", ".", 1): f"{__name__}.{name}" for name in names}

    def __getitem__(self, uses: str) -> StepKind[Any, Any]:
        kind: StepKind[Any, Any] = importlib.import_module(self._modules[uses]).STEP
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


@cache
def catalogue() -> Catalogue:
    """Every built-in step by its `uses`."""
    return Catalogue()
