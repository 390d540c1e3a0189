"""Where `gonogo` begins: first it makes sure that its three packages are its own."""

import gc
import importlib.util
import sys
from pathlib import Path

PACKAGES = ("tui", "runbooks", "migrations")
MISUSE = 2
INTERRUPTED = 130
RARELY = 20_000
"""How many objects are made until Python looks for garbage: with its own 700, a fifth of what a screen costs."""


def stranger() -> str | None:
    """The first of our packages that Python would import from somewhere else, and from where."""
    ours = Path(__file__).resolve().parents[1]
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        where = Path(spec.origin).resolve() if spec and spec.origin else None
        if where != ours / name / "__init__.py":
            return f"{name} ({where or 'a folder without code'})"
    return None


def main() -> None:
    """The console script."""
    if (other := stranger()) is not None:
        sys.stderr.write(
            f"gonogo: something else is imported in place of its own package {other}: look at PYTHONPATH.\n"
        )
        sys.exit(MISUSE)
    gc.set_threshold(RARELY)
    try:
        from tui.cli import main as run

        run()
    except KeyboardInterrupt:  # while it was still being imported
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
