"""`group =`: a second account of a Unix group watches and takes the pen; everybody else is kept out."""

import asyncio
import contextlib
import grp
import json
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from fix_live import ANA, settle

from migrations.problem import Misuse, Problem, Unavailable
from runbooks.faces import launch
from runbooks.faces.client import Client, socket_path
from runbooks.faces.faces import Faces
from runbooks.faces.listening import listening
from runbooks.history.sessions import create_folder, find
from runbooks.host.machine import machine
from runbooks.host.sharing import Circle, circle_of, told
from runbooks.journal import NAME, Journal
from runbooks.redact import Redactor
from runbooks.running.recorder import Recorder
from runbooks.session.view import RunView
from runbooks.settings.project import Project
from tests.runbooks.conftest import opening
from tui.commands.walk import resume

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another account's processes are started: run as root")
SESSION = "20260131T020304Z-production-7f3a"
MEMBER, STRANGER = "www-data", "games"

ATTACH = """
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
try:
    s.connect(sys.argv[1])
    by = {"name": "ben@example.org", "os_user": "root", "host": "bastion-1"}
    s.sendall(json.dumps({"say": "attach", "sort": "screen", "by": by}).encode() + b"\\n")
    command = {"kind": "take_pen", "reason": "shift"}
    s.sendall(json.dumps({"say": "command", "number": 1, "command": command}).encode() + b"\\n")
    said = s.makefile("rb")
    print((said.readline() or b"closed\\n").decode().strip())
    while line := said.readline():
        if b'"say":"reply"' in line:
            print(line.decode().strip())
            break
except ConnectionError:
    print("closed")
except OSError as error:
    print(type(error).__name__)
"""


def project(tmp_path: Path, group: str | None) -> Project:
    return Project(name="shop", folder=tmp_path, sha256="", migrations=tmp_path, group=group, environments={})


@pytest.fixture
def circle() -> Circle:
    return Circle(MEMBER, grp.getgrnam(MEMBER).gr_gid)


@pytest.fixture
def root(circle: Circle) -> Iterator[Path]:
    """A folder for sessions that others can reach, as an administrator makes it."""
    above = Path(tempfile.mkdtemp(dir="/var/tmp"))
    above.chmod(0o755)
    made = above / "sessions"
    made.mkdir()
    os.chown(made, 0, circle.gid)
    made.chmod(0o3770)
    yield made
    shutil.rmtree(above)


@asynccontextmanager
async def session(root: Path, circle: Circle, clock) -> AsyncIterator[tuple[Recorder, Path]]:
    folder = create_folder(root, SESSION, circle)
    journal = Journal.create(folder, clock)
    recorder = Recorder(journal, Redactor({}), RunView())
    recorder.append(opening(machine=machine()))
    faces = Faces(recorder, folder, lambda command, by: asyncio.sleep(0), circle)
    serving = set[asyncio.Task[None] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        await faces.serve(reader, writer)
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with listening(folder, serve):
        yield recorder, folder
        before = len(serving)  # a last one comes after all that were not taken in yet
        _, last = await asyncio.open_unix_connection(socket_path(folder))
        last.close()
        await settle(lambda: len(serving) > before)
        await asyncio.gather(*(task for task in serving if task is not None))
    journal.close()


async def attach_as(account: str, folder: Path) -> list[str]:
    """What a process of another account gets to hear: by the system's own Python, which it can reach."""
    who = pwd.getpwnam(account)
    path = json.loads((folder / "runner.json").read_text())["socket"]
    groups = os.getgrouplist(account, who.pw_gid)
    python = next(p for p in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(p).exists())
    done = await asyncio.to_thread(
        subprocess.run,
        [python, "-c", ATTACH, path],
        user=who.pw_uid,
        group=who.pw_gid,
        extra_groups=groups,
        cwd="/",
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_root
async def test_a_member_watches_and_takes_the_pen_under_its_own_name(root: Path, circle: Circle, clock) -> None:
    async with session(root, circle, clock) as (recorder, folder):
        ana = await Client.attach(folder, sort="screen", by=ANA)
        await settle(lambda: recorder.view.pen)
        hello, reply = await attach_as(MEMBER, folder)
        assert json.loads(hello)["pen"] is False and json.loads(reply)["refused"] is None
        assert recorder.view.handover is not None
        assert recorder.view.handover.by.os_user == MEMBER, "the kernel's word, not the claimed root"
        await ana.close()


@needs_root
async def test_a_stranger_reaches_nothing_and_is_turned_away_where_it_does(root: Path, circle: Circle, clock) -> None:
    async with session(root, circle, clock) as (recorder, folder):
        assert await attach_as(STRANGER, folder) == ["PermissionError"]
        socket = Path(json.loads((folder / "runner.json").read_text())["socket"])
        socket.parent.chmod(0o777)
        socket.chmod(0o777)
        for account in (STRANGER, "nobody"):
            assert await attach_as(account, folder) == ["closed"]
        assert recorder.view.faces == {}


@needs_root
async def test_what_the_group_may_read_and_what_not(root: Path, circle: Circle, clock) -> None:
    async with session(root, circle, clock) as (_, folder):
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.iterdir())}
        assert modes == {SESSION: 0o2750, NAME: 0o640, "runner.json": 0o640}
        assert {p.stat().st_gid for p in (folder, *folder.iterdir())} == {circle.gid}
        place = Path(json.loads((folder / "runner.json").read_text())["socket"]).parent
        assert stat.S_IMODE(place.stat().st_mode) == 0o2750 and place.parent == Path("/tmp")


@needs_root
async def test_a_socket_that_somebody_else_put_there_is_not_used(
    root: Path, circle: Circle, clock, tmp_path: Path
) -> None:
    async with session(root, circle, clock) as (_, folder):
        about = json.loads((folder / "runner.json").read_text())
        link = tmp_path / "gonogo-x"
        link.symlink_to(Path(about["socket"]).parent)
        (folder / "runner.json").write_text(json.dumps({**about, "socket": str(link / "s")}))
        with pytest.raises(Unavailable, match="not the folder of this session's runner"):
            await Client.attach(folder, sort="screen", by=ANA)
        (folder / "runner.json").write_text(json.dumps(about))
        os.chown(folder, pwd.getpwnam(MEMBER).pw_uid, -1)
        with pytest.raises(Unavailable, match="not the folder of this session's runner"):
            await Client.attach(folder, sort="screen", by=ANA)
        os.chown(Path(about["socket"]).parent, pwd.getpwnam(MEMBER).pw_uid, -1)
        with pytest.raises(Unavailable, match="Another account answers"):
            await Client.attach(folder, sort="screen", by=ANA)


@needs_root
def test_no_key_is_brought_to_the_runner_of_another_account(tmp_path: Path) -> None:
    folder, asked = tmp_path / "gonogo" / "sessions" / SESSION, [SESSION, "--headless", "--sign", "key"]
    folder.mkdir(parents=True)
    here = CliRunner(env={"XDG_STATE_HOME": str(tmp_path)})
    assert "key" in str(here.invoke(resume, asked).exception), "it is looked at in one's own account"
    os.chown(folder, pwd.getpwnam(MEMBER).pw_uid, -1)
    refused = here.invoke(resume, asked).exception
    assert isinstance(refused, Misuse) and f"belongs to {MEMBER}, and its runner signs only" in refused.what
    assert "journal.jsonl cannot be opened" in str(here.invoke(resume, asked[:2], env={"GONOGO_SIGN": "key"}).exception)


@needs_root
async def test_nobody_goes_on_in_the_journal_of_another_account(root: Path, circle: Circle, clock) -> None:
    async with session(root, circle, clock) as (_, folder):
        pass
    before = (folder / NAME).read_bytes()
    assert find(root) == folder
    os.chown(folder, pwd.getpwnam(MEMBER).pw_uid, -1)
    with pytest.raises(Problem, match=f"belongs to {MEMBER}, and no runner is at work on it"):
        await launch.take_up(folder, operator=ANA, answers=None, headless=False, environ={})
    with pytest.raises(Misuse, match="No unfinished session"):
        find(root)
    assert (folder / NAME).read_bytes() == before


@needs_root
@pytest.mark.parametrize(
    ("mode", "owner", "group", "words"),
    [
        (0o3777, "root", MEMBER, "can be changed by others"),
        (0o2770, "root", MEMBER, "can be changed by others"),
        (0o3770, "root", "root", "is of another group"),
        (0o3770, STRANGER, MEMBER, f"belongs to {STRANGER}"),
    ],
    ids=["everybody", "not sticky", "another group", "a stranger's"],
)
def test_a_folder_in_which_others_could_meddle_is_refused(
    root: Path, circle: Circle, mode: int, owner: str, group: str, words: str
) -> None:
    shutil.chown(root, owner, group)
    root.chmod(mode)
    with pytest.raises(Unavailable, match=words):
        create_folder(root, SESSION, circle)
    assert list(root.iterdir()) == []


def test_a_folder_that_is_missing_is_made_by_an_administrator(tmp_path: Path, circle: Circle) -> None:
    with pytest.raises(Unavailable, match=f"install -d -o root -g {MEMBER} -m 3770 {tmp_path}/not-there"):
        create_folder(tmp_path / "not-there", SESSION, circle)


def test_a_group_must_be_one_of_people_and_ours(tmp_path: Path) -> None:
    assert circle_of(project(tmp_path, None)) is None
    with pytest.raises(Misuse, match="no group so-named"):
        circle_of(project(tmp_path, "so-named"))
    wide = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
    with pytest.raises(Misuse, match=r"nobody, under which services run|not in the group"):
        circle_of(project(tmp_path, wide))
    outcome, words, advice = told(Circle(MEMBER, grp.getgrnam(MEMBER).gr_gid))
    assert (outcome, words) == ("warn", f"{MEMBER}: {MEMBER}") and "Services run as" in advice
