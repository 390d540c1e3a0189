"""Programs: what they say, how they end, and that none is left behind."""

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from migrations.problem import Problem, Unavailable
from migrations.process import Child, Ended, Held, alive, capture, end, leave, memory_file, run

Until = Callable[[Callable[[], object]], None]

ENV = {"PATH": os.defpath}
ROOT = Path(__file__).parents[2]
OWNER = """
import asyncio, sys
from migrations.process import run

async def told(stream, text):
    print(text, end="", flush=True)

asyncio.run(run(["sh", "-c", "sleep 1000 & echo $! $$; wait"], env={"PATH": sys.argv[1]}, on_text=told))
"""


def gone(pid: int) -> bool:
    """Ended; where nobody collects the remains of orphans, remains count as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No child of ours and no open file is left behind by any test."""
    children, files = psutil.Process().children(), psutil.Process().num_fds()
    yield
    assert psutil.Process().children() == children
    assert psutil.Process().num_fds() <= files


class Listener:
    """Collects what a program says, and starts waiting tasks on a word of it."""

    def __init__(self) -> None:
        self.text = ""
        self.heard = asyncio.Event()

    async def __call__(self, stream: str, text: str) -> None:
        self.text += text
        self.heard.set()


async def cancelled(work: Coroutine[Any, Any, Any], after: asyncio.Event) -> None:
    task = asyncio.create_task(work)
    await after.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_five_megabytes_without_a_line_end_arrive_whole() -> None:
    pieces: list[str] = []

    async def keep(stream: str, text: str) -> None:
        pieces.append(text)

    program = "import sys; sys.stdout.write('a' + 'é' * 2_500_000)"
    ended = await run([sys.executable, "-X", "utf8", "-c", program], env=ENV, on_text=keep)
    assert ended == Ended(0)
    assert "".join(pieces) == "a" + "é" * 2_500_000
    assert max(map(len, pieces)) <= 65536


async def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert await capture(["printf", r"a\377b\303"], env=ENV) == (0, "a\ufffdb\ufffd", "")


async def test_a_program_gets_its_environment_no_input_and_the_usual_signals() -> None:
    code, out, err = await capture(
        ["sh", "-c", "env | grep -v ^PWD | grep -v ^_; cat; yes | head -n1; exit 3"], env={**ENV, "A": "1"}
    )
    assert (code, sorted(out.split()), err) == (3, sorted(["A=1", f"PATH={os.defpath}", "y"]), "")
    assert await run(["sh", "-c", "kill -KILL $$"], env=ENV) == Ended(-signal.SIGKILL)


async def test_over_when_the_shell_exits_whatever_it_left_running() -> None:
    _, out, _ = await capture(["sh", "-c", "sleep 1000 & echo $!; head -c 60000 /dev/zero | tr '\\0' x"], env=ENV)
    left, _, rest = out.partition("\n")
    try:
        assert not gone(int(left))
        assert rest == "x" * 60000
    finally:
        os.kill(int(left), signal.SIGKILL)


async def test_what_a_killed_shell_had_started_does_not_go_on_alone() -> None:
    code, out, _ = await capture(["sh", "-c", "sleep 1000 & echo $!; kill -KILL $$"], env=ENV)
    assert code == -signal.SIGKILL and gone(int(out))


async def test_cancel_stops_the_whole_group_and_hears_its_last_words(until: Until) -> None:
    listener = Listener()
    script = "trap 'echo bye; exit' TERM; (trap '' TERM; exec sleep 1000) & echo $!; wait"
    await cancelled(run(["sh", "-c", script], env=ENV, on_text=listener, grace=0.3), listener.heard)
    pid, *words = listener.text.split()
    assert words == ["bye"]
    until(lambda: gone(int(pid)))


async def test_the_watchdog_is_waited_for_even_if_nobody_waits_for_that() -> None:
    """A second cancel, before the thread that waits for the watchdog has begun."""
    before = psutil.Process().children()
    held = await Held.start(["sleep", "1000"], env=ENV)
    busy = threading.Event()
    with ThreadPoolExecutor(1) as only_one:
        asyncio.get_running_loop().set_default_executor(only_one)
        only_one.submit(busy.wait)
        held.let_go()
        closing = asyncio.create_task(held.close())
        for _ in range(2):
            await asyncio.sleep(0)
            closing.cancel()
        await asyncio.wait((closing,))
        busy.set()
    assert closing.cancelled()
    assert psutil.Process().children() == before


async def test_a_program_that_ignores_the_polite_signal_is_killed() -> None:
    listener, children = Listener(), []

    async def keep(child: Child) -> None:
        children.append(child)

    work = run(["sh", "-c", "trap '' TERM; echo x; sleep 1000"], env=ENV, on_text=listener, on_start=keep, grace=0.1)
    await cancelled(work, listener.heard)
    assert not alive(children[0])


async def test_a_timeout_is_a_problem_and_stops_the_program() -> None:
    children = []

    async def keep(child: Child) -> None:
        children.append(child)
        assert alive(child)

    with pytest.raises(Problem, match=r"sleep did not end within 0\.5 s"):
        await run(["sleep", "1000"], env=ENV, timeout=0.5, on_start=keep)
    assert not any(map(alive, children))


async def test_an_error_in_the_listener_stops_the_program_and_is_raised() -> None:
    async def fail(stream: str, text: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run(["sh", "-c", "echo x; sleep 1000"], env=ENV, on_text=fail)


async def test_nothing_begins_before_its_start_was_recorded(tmp_path: Path) -> None:
    async def refuse(child: Child) -> None:
        raise OSError("the journal cannot be written")

    with pytest.raises(OSError, match="journal"):
        await run(["touch", str(tmp_path / "begun")], env=ENV, on_start=refuse)
    assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize("rope", ["owner", "owner and watchdog"])
def test_a_killed_owner_leaves_nothing_behind(rope: str, until: Until) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, os.defpath], cwd=ROOT, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        grandchild, child = map(int, owner.stdout.readline().split())
        (watchdog,) = psutil.Process(owner.pid).children()
        if rope == "owner and watchdog":
            watchdog.kill()
        owner.kill()
    until(lambda: gone(child) and gone(watchdog.pid))
    if rope == "owner":
        until(lambda: gone(grandchild))
    else:
        os.kill(grandchild, signal.SIGKILL)  # the second rope holds the program alone


async def test_a_killed_watchdog_ends_its_program() -> None:
    children = []

    async def keep(child: Child) -> None:
        children.append(child)

    async def kill(stream: str, text: str) -> None:
        psutil.Process(children[0].pid).parent().kill()  # type: ignore[union-attr]

    with pytest.raises(Problem, match="watchdog of sh died"):
        await run(["sh", "-c", "echo x; sleep 1000"], env=ENV, on_start=keep, on_text=kill)
    assert not alive(children[0])


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("nonesuch", "There is no program nonesuch on the PATH. Install nonesuch"),
        ("./nonesuch", r"There is no program \./nonesuch"),
        ("./plain", r"The program \./plain may not be executed"),
        ("./nonsense", r"\./nonsense could not be executed: Exec format error"),
        ("./astray", r"\./astray could not be executed: No such file"),
    ],
)
async def test_a_program_that_cannot_run_is_named(program: str, words: str, tmp_path: Path) -> None:
    for name, text, mode in (("plain", "", 0o644), ("nonsense", "?", 0o755), ("astray", "#!/nonesuch\n", 0o755)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
    with pytest.raises(Unavailable, match=words):
        await run([program], env=ENV, cwd=tmp_path)


async def test_a_missing_folder_is_named() -> None:
    with pytest.raises(Unavailable, match="There is no folder /nonesuch to run true in"):
        await run(["true"], env=ENV, cwd=Path("/nonesuch"))


async def test_a_secret_reaches_the_program_in_a_file_of_its_own() -> None:
    with memory_file("localhost:5432:*:ana:s3cret") as (number, path):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
        assert await capture(["cat", path], env=ENV, pass_fds=[number]) == (0, "localhost:5432:*:ana:s3cret", "")
    assert not Path(path).exists()


async def test_what_was_left_running_can_be_ended_later(tmp_path: Path, until: Until) -> None:
    said = tmp_path / "said"
    with leave(["sh", "-c", "cat; sleep 1000 & echo $!; wait"], env=ENV, said=said, stdin=b"hello\n") as process:
        until(lambda: said.read_text().endswith("\n") and len(said.read_text().split()) == 2)
        hello, grandchild = said.read_text().split()
        assert (hello, stat.S_IMODE(said.stat().st_mode), os.getsid(process.pid)) == ("hello", 0o600, process.pid)
        child = Child(process.pid, started_now(process.pid), process.pid)
        await end(Child(child.pid, "another", child.group))
        assert alive(child)
        await end(child)
        assert not alive(child)
        until(lambda: gone(int(grandchild)))


def started_now(pid: int) -> str:
    from migrations.process import started

    text = started(pid)
    assert text is not None
    return text


@pytest.mark.soak
async def test_many_programs_cancelled_at_any_moment_leave_nothing() -> None:
    for round in range(300):
        task = asyncio.create_task(run(["sh", "-c", "echo x; sleep 0.05"], env=ENV, grace=0.2))
        await asyncio.sleep(round / 5000)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
