"""The command `gonogo` as a person types it, and a small project for it to work on."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from migrations.server import ThrowawayServer

TOP = Path(__file__).parents[1]
SECONDS = 100


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def session(self) -> Path:
        """The session folder that the command named."""
        found = re.search(r"^Transcript (.+)/transcript\.md$", self.err, re.M)
        assert found, self.err
        return Path(found[1])


Gonogo = Callable[..., Said]


def environment(more: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment of a command under test: this checkout, and nothing of the person who runs the tests."""
    return {**os.environ, "PYTHONPATH": str(TOP), "GONOGO_OPERATOR": "ana@example.org", **more}


@pytest.fixture
def no_process_left(own_home: Path) -> Iterator[None]:
    """Whatever the test leaves running fails it, and is ended."""
    yield
    none_left(ours())


def none_left(found: set[psutil.Process]) -> None:
    """These end by themselves; those that do not are ended, and are a failure."""
    _, left = psutil.wait_procs(list(found), timeout=30)
    names = [str(process) for process in left]
    for process in left:
        process.kill()
    assert not left, names


class Fork:
    """A command that runs in a fork; what it prints goes to files."""

    def __init__(self, place: Path, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], typed: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gonogo-")
        self._out, self._err, read = (Path(self._folder.name, name) for name in ("out", "err", "in"))
        read.write_text(typed)
        files = {"in": str(read), "out": str(self._out), "err": str(self._err)}
        wanted = {"module": "tui.__main__", "arguments": [*arguments], "cwd": str(cwd), "env": dict(env), **files}
        self._link = socket.socket(socket.AF_UNIX)
        self._link.settimeout(SECONDS)
        self._link.connect(str(place))
        self._link.sendall(json.dumps(wanted).encode() + b"\n")
        self._said = self._link.makefile()
        self.pid = int(self._said.readline())

    def over(self) -> bool:
        """Whether it has ended."""
        return bool(select.select((self._link,), (), (), 0)[0])

    def send_signal(self, number: int) -> None:
        """To the command; its runner is a process of its own."""
        os.kill(self.pid, number)

    def end(self, seconds: float = SECONDS) -> Said:
        """Wait for its end. Raises TimeoutError, and ends it, where that does not come."""
        self._link.settimeout(seconds)
        try:
            code = int(self._said.readline() or -signal.SIGKILL)
        except TimeoutError:
            self.send_signal(signal.SIGKILL)
            raise
        return Said(code, self._out.read_text(), self._err.read_text())

    def close(self) -> None:
        """End it if it has not, and put away what it printed."""
        if not self.over():
            self.send_signal(signal.SIGKILL)
        self._said.close()
        self._link.close()
        self._folder.cleanup()


class Forks:
    """Where forks of a process that knows gonogo already are to be had; see forks.py."""

    def __init__(self, place: Path, env: Mapping[str, str], pid: int) -> None:
        self.place = place
        self.process = psutil.Process(pid)
        self._python = _about_python(env)

    def fit(self, env: Mapping[str, str]) -> bool:
        """Whether a Python that starts with these variables would be like them."""
        return _about_python(env) == self._python

    def begin(self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str], typed: str = "") -> "Fork":
        """Start a command in one of them. `typed` is all that its standard input holds."""
        return Fork(self.place, arguments, cwd, env, typed)


def _about_python(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(("PYTHON", "LC_", "LANG"))}


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """The process that is forked, for as long as the tests run."""
    env = environment()
    with tempfile.TemporaryDirectory(prefix="gonogo-") as folder:
        place = Path(folder, "forks")
        argv = [sys.executable, "-P", str(TOP / "tests" / "forks.py"), str(place)]
        with subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"listening\n"
            yield Forks(place, env, process.pid)


@pytest.fixture
def gonogo(tmp_path: Path, forks: Forks, no_process_left: None) -> Iterator[Gonogo]:
    """Run `gonogo …` in `cwd` without a terminal; `typed` is what it reads."""

    def run(*arguments: str, cwd: Path | None = None, env: Mapping[str, str] = {}, typed: str = "") -> Said:
        whole = environment(env)
        if forks.fit(whole):
            with closing(forks.begin(arguments, cwd or tmp_path, whole, typed)) as command:
                return command.end()
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tui", *arguments],
            cwd=cwd or tmp_path, env=whole, capture_output=True, text=True, timeout=SECONDS, input=typed,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    yield run
    none_left(set(forks.process.children(recursive=True)))


def ours() -> set[psutil.Process]:
    """Runners, and whatever they started, that live now in this test's home."""
    found = set()
    for process in psutil.process_iter():
        try:
            home = process.environ().get("XDG_STATE_HOME")
        except psutil.Error:
            continue
        if home == os.environ["XDG_STATE_HOME"]:
            found.add(process)
    return found


RUNBOOK = """# A small one

```toml runbook
name = "small"
```

## Backup

```toml step
id = "dump"
uses = "backup.dump"
required = true
```

## Preflight

```toml step
id = "ledger"
uses = "ledger.inspect"
```

## Migrate

```toml step
id = "apply"
uses = "migrations.apply"
lock_timeout = "2s"
required = true
```

## Verify

```toml step
id = "applied"
uses = "ledger.verify"
```

## Deploy

```sh run id="deploy" title="Deploy"
echo deployed
```

## Smoke

## Rollback

### Forward fix

```toml option
id = "forward"
costs = "some time"
loses = "nothing"
```

## Troubleshooting

| when you see | do |
|---|---|
| 55P03 | Somebody holds the table. |
"""

TABLE = 'CREATE TABLE "notes" ("id" SERIAL PRIMARY KEY, "text" TEXT);\n'


@dataclass
class SmallProject:
    """A project folder: change its files, then run gonogo in it."""

    folder: Path
    url: str
    bin: Path

    @property
    def env(self) -> dict[str, str]:
        """Its address, under the name in gonogo.toml; the server's own programs on the PATH."""
        return {"SMALL_URL": self.url, "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}"}

    def toml(self, **environment: object) -> None:
        """Write gonogo.toml with these keys for the environment `here`."""
        lines = ["[project]", 'name = "small"', 'migrations = "migrations"', "[environments.here]"]
        settings = {"url": "SMALL_URL", "runbook": "small.md", **environment}
        lines += [f"{key} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for key, v in settings.items()]
        (self.folder / "gonogo.toml").write_text("\n".join(lines) + "\n")

    def migration(self, name: str, text: str | bytes) -> Path:
        """Write a script."""
        path = self.folder / "migrations" / name / "migration.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def answers(self, **tables: Mapping[str, object]) -> Path:
        """Answers that say GO everywhere and review every script as it is; `tables` add to them."""
        import hashlib

        names = {p: p.parent.name for p in sorted((self.folder / "migrations").glob("*/migration.sql"))}
        names |= {p: f"{p.parent.name}/{p.name}" for p in sorted((self.folder / "migrations").glob("*/rollback.sql"))}
        reviews = {name: hashlib.sha256(p.read_bytes()).hexdigest() for p, name in names.items()}
        phases = ("backup", "preflight", "migrate", "verify", "deploy", "smoke")
        whole = {"go": dict.fromkeys(phases, True), "reviews": reviews, **tables}
        lines = []
        for table, rows in whole.items():
            lines.append(f"[{table}]")
            lines += [f'"{key}" = {str(v).lower() if isinstance(v, bool) else repr(v)}' for key, v in rows.items()]
        path = self.folder / "answers.toml"
        path.write_text("\n".join(lines) + "\n")
        return path


@pytest.fixture
def small(tmp_path: Path, database: str, server: ThrowawayServer) -> SmallProject:
    """A project with one pending script, a runbook that needs no person, and a database of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    project = SmallProject(folder, database, server.bin)
    project.toml()
    (folder / "small.md").write_text(RUNBOOK)
    project.migration("20260101000000_notes", TABLE)
    project.answers()
    return project
