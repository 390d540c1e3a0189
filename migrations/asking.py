"""Programs that answer at once and change nothing, such as git: they need no watchdog, and start in milliseconds."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrations.problem import Problem, Unavailable


@dataclass(frozen=True, slots=True)
class Answer:
    """Exit code, and what was said; `out` as bytes, because it may hold names of files."""

    code: int
    out: bytes
    err: str


def ask(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: bytes = b"", timeout: float = 60.0) -> Answer:
    """Run a program to its end. Raises Unavailable if it is not there, Problem if it does not end in time."""
    program = shutil.which(argv[0], path=env.get("PATH"))
    if program is None:
        raise Unavailable(
            f"There is no program {argv[0]} on the PATH.", advice=f"Install {argv[0]}, or put it on the PATH."
        )
    try:
        done = subprocess.run(
            [program, *argv[1:]],
            cwd=cwd,
            env=env,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            start_new_session=True,  # without our terminal, on which it could ask for a password
        )
    except subprocess.TimeoutExpired:
        raise Problem(f"{argv[0]} did not end within {timeout:g} s and was stopped.") from None
    except OSError as error:
        raise Unavailable(f"{argv[0]} could not be executed: {error.strerror}.") from None
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
