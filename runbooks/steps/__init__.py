"""The built-in steps. A step is one file `<noun>_<verb>.py`, found by being there; `uses` is `noun.verb`."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from runbooks.steps.base import StepKind


@cache
def catalogue() -> dict[str, StepKind[Any, Any]]:
    """Every built-in step by its `uses`."""
    names = [m.name for m in pkgutil.iter_modules(__path__) if m.name != "base" and not m.ispkg]
    return {name.replace("_", ".", 1): importlib.import_module(f"{__name__}.{name}").STEP for name in names}
