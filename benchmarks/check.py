"""`gonogo check` side by side with Squawk on the same scripts: `python -m benchmarks.check`.

1 000 scripts of 15 MB in all, made anew each time, the same bytes each time: all of them without a cache and from it,
and ten that are pending among a thousand that are not. Every figure is the best of some rounds, taken in turns.
Ends with 1 where a ratio is beyond its bound, or Squawk is not installed (`pip install 'gonogo[squawk]'`).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.history import History, write_history
from runbooks.check.squawk import find

TOP = Path(__file__).parents[1]
GONOGO = (sys.executable, "-P", "-m", "tui", "check", "--no-squawk")
COLD, WARM = 8.0, 2.0
PENDING = 10


def seconds(*argv: str, cwd: Path, env: Mapping[str, str] = {}) -> float:
    """How long a program takes to its end, its output thrown away."""
    whole = {**os.environ, "PYTHONPATH": str(TOP), **env}
    began = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, env=whole, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    took = time.perf_counter() - began
    if done.returncode not in (0, 1):
        sys.exit(f"{argv[0]} ended with {done.returncode}: {done.stderr}")
    return took


def side_by_side(place: Path, squawk: str, rounds: int) -> bool:
    """All scripts, by both."""
    folder = place / "history"
    size = write_history(folder)
    scripts = [str(path) for path in sorted(folder.glob("*/migration.sql"))]
    caches = iter(range(1_000_000))
    warm = {"XDG_CACHE_HOME": str(place / "warm")}
    runs: dict[str, Callable[[], float]] = {
        "squawk": lambda: seconds(squawk, "--reporter", "json", *scripts, cwd=place),
        "gonogo, no cache": lambda: seconds(
            *GONOGO, "--json", str(folder), cwd=place, env={"XDG_CACHE_HOME": str(place / f"cold{next(caches)}")}
        ),
        "gonogo, from cache": lambda: seconds(*GONOGO, "--json", str(folder), cwd=place, env=warm),
    }
    seconds(*GONOGO, str(folder), cwd=place, env=warm)
    best = best_of(runs, rounds)
    print(f"{len(scripts)} scripts, {size / 1e6:.1f} MB, all of them:")
    for name, took in best.items():
        print(f"  {name:<24} {took:8.2f} s   {took / best['squawk']:6.2f} x squawk")
    cold, from_cache = (best[name] / best["squawk"] for name in ("gonogo, no cache", "gonogo, from cache"))
    return cold <= COLD and from_cache <= WARM


def pending(place: Path, rounds: int) -> None:
    """Ten new scripts among a thousand in git."""
    folder = place / "clone" / "prisma" / "migrations"
    write_history(folder)
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "history")):
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *who, *words], cwd=place / "clone", check=True)
    made = History(seed=11)
    for number in range(PENDING):
        description, text = made.script(1500)
        path = folder / f"20250601{number:06}_{description}" / "migration.sql"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    caches = iter(range(1_000_000))
    runs: dict[str, Callable[[], float]] = {
        "python -c pass": lambda: seconds(sys.executable, "-c", "pass", cwd=place),
        "gonogo --version": lambda: seconds(sys.executable, "-P", "-m", "tui", "--version", cwd=place),
        "gonogo check, no cache": lambda: seconds(
            *GONOGO, cwd=place / "clone", env={"XDG_CACHE_HOME": str(place / f"few{next(caches)}")}
        ),
        "gonogo check, from cache": lambda: seconds(
            *GONOGO, cwd=place / "clone", env={"XDG_CACHE_HOME": str(place / "some")}
        ),
    }
    print(f"{PENDING} pending scripts among 1000 in git:")
    for name, took in best_of(runs, rounds * 2).items():
        print(f"  {name:<24} {took:8.2f} s")


def best_of(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The shortest time of each, taken in turns, so that a busy machine is busy for all."""
    taken = [{name: run() for name, run in runs.items()} for _ in range(rounds)]
    return {name: min(one[name] for one in taken) for name in runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    squawk = find()
    if squawk is None:
        sys.exit("Squawk is not installed: pip install 'gonogo[squawk]'")
    with tempfile.TemporaryDirectory(prefix="gonogo-benchmark-") as place:
        good = side_by_side(Path(place), squawk, chosen.rounds)
        pending(Path(place), chosen.rounds)
    print(f"bounds: {COLD:g} x without a cache, {WARM:g} x from it: {'held' if good else 'NOT held'}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
