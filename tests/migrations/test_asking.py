"""Programs that answer at once."""

import sys
from pathlib import Path

import pytest

from migrations.asking import ask
from migrations.problem import Problem, Unavailable


def say(code: str, tmp_path: Path, **more: object) -> object:
    return ask([sys.executable, "-c", code], cwd=tmp_path, env={"PATH": "/bin"}, **more)  # type: ignore[arg-type]


def test_an_answer_is_exit_code_bytes_and_words(tmp_path: Path) -> None:
    code = "import os, sys; os.write(1, b'\\xff' + sys.stdin.buffer.read()); os.write(2, b'\\xff!'); sys.exit(3)"
    answer = say(code, tmp_path, stdin=b"in")
    assert (answer.code, answer.out, answer.err) == (3, b"\xffin", "\ufffd!")  # type: ignore[attr-defined]


def test_it_gets_the_environment_and_the_folder_that_it_is_given(tmp_path: Path) -> None:
    answer = say("import os; print(os.getcwd(), sorted(os.environ)[-1])", tmp_path)
    assert answer.out.decode().split() == [str(tmp_path), "PATH"]  # type: ignore[attr-defined]


def test_a_program_that_is_not_there_or_does_not_end(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no program nowhere"):
        ask(["nowhere"], cwd=tmp_path, env={"PATH": "/bin"})
    with pytest.raises(Problem, match="did not end within"):
        say("import time; time.sleep(60)", tmp_path, timeout=0.2)


def test_a_program_that_is_asked_has_no_terminal_to_ask_on(tmp_path: Path) -> None:
    answer = say("import os; print(os.getsid(0) == os.getpid())", tmp_path)
    assert answer.out == b"True\n"  # type: ignore[attr-defined]
