"""The machine that a session runs on: file systems, other hosts, what happens at logout. Texts are of real hosts."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from migrations.problem import Unavailable
from runbooks.host.logout import SCOPE, Host, container_of, kills_at_logout, look, scope, told, unit_of
from runbooks.host.machine import machine, must_be_here
from runbooks.host.mounts import Mount, mount_of, must_be_local
from tests.runbooks.conftest import opening

MOUNTINFO = r"""22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
24 22 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
71 22 0:45 / /home rw,relatime shared:40 - autofs systemd-1 rw,fd=59,pgrp=1,timeout=0
88 71 0:51 / /home rw,relatime shared:51 - nfs4 filer.prod:/export/home rw,vers=4.2,addr=198.51.100.9
91 88 8:3 / /home/ana/local\040disk rw,relatime shared:60 - xfs /dev/sda3 rw
95 22 0:60 / /mnt/bastion rw,nosuid - fuse.sshfs ana@bastion-2:/srv rw,user_id=1000
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/ana/.local/state", Mount("/home", "nfs4", "filer.prod:/export/home")),
        ("/home/ana/local disk/sessions", Mount("/home/ana/local disk", "xfs", "/dev/sda3")),
        ("/homework", Mount("/", "ext4", "/dev/sda2")),
        ("/mnt/bastion", Mount("/mnt/bastion", "fuse.sshfs", "ana@bastion-2:/srv")),
    ],
)
def test_a_path_lies_on_the_innermost_and_latest_mount(path: str, expected: Mount) -> None:
    assert mount_of(path, MOUNTINFO) == expected


@pytest.mark.parametrize("type", ["nfs", "cifs", "9p", "lustre", "ext4"])
def test_a_network_file_system_is_named_and_refused(tmp_path: Path, type: str) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(
        f"22 1 8:2 / / rw - ext4 /dev/sda rw\n30 22 0:9 / {tmp_path} rw - {type} filer:/x rw\n"
    )
    if type == "ext4":
        return must_be_local(tmp_path / "not/there/yet", tmp_path / "proc")
    with pytest.raises(Unavailable, match=rf"network file system \({type}, filer:/x\)"):
        must_be_local(tmp_path / "not/there/yet", tmp_path / "proc")
    must_be_local(tmp_path, Path("/nowhere"))


def test_a_session_goes_on_where_it_was_begun(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    must_be_here(opening(machine=machine(tmp_path)), tmp_path)
    assert "3d1219" not in machine(tmp_path), "the id itself is not told"
    for elsewhere in (opening(machine=machine(Path("/nowhere"))), opening()):
        with pytest.raises(Unavailable, match="begun on another host, bastion-1"):
            must_be_here(elsewhere, tmp_path)


DEBIAN = "[Manager]\nKillUserProcesses=yes\n[Login]\n#KillUserProcesses=no\n#KillExcludeUsers=root\n"
YES = "[Login]\nKillUserProcesses = yes\n"


@pytest.mark.parametrize(
    ("texts", "user", "expected"),
    [
        ([DEBIAN], "ana", None),
        ([DEBIAN, YES], "ana", True),
        ([YES, "[Login]\nKillUserProcesses=no\n"], "ana", False),
        ([YES], "root", False),
        ([YES, "[Login]\nKillExcludeUsers=\nKillOnlyUsers=ben carl\n"], "ana", False),
        ([YES, "[Login]\nKillOnlyUsers=ana\n"], "ana", True),
        ([YES, "[Login]\nKillExcludeUsers=ana root\n"], "ana", False),
    ],
)
def test_what_logind_is_told_of_this_user(texts: Sequence[str], user: str, expected: bool | None) -> None:
    assert kills_at_logout(texts, user) is expected


SSH = "0::/user.slice/user-1000.slice/session-4.scope\n"
OWN = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1a.scope\n"
CRON = "12:pids:/x\n1:name=systemd:/system.slice/cron.service\n0::/\n"


@pytest.mark.parametrize(
    ("host", "outcome", "words"),
    [
        (Host(), "ok", "no systemd"),
        (Host(booted=True, kills=True, unit=unit_of(SSH)), "warn", "KillUserProcesses=yes"),
        (Host(booted=True, kills=False, unit=unit_of(SSH)), "ok", "KillUserProcesses=no"),
        (Host(booted=True, kills=None, unit=unit_of(SSH)), "warn", "not known"),
        (Host(booted=True, kills=True, lingers=True, unit=unit_of(OWN)), "ok", "lingers"),
        (Host(booted=True, kills=True, lingers=True, unit=unit_of(SSH)), "warn", "KillUserProcesses=yes"),
        (Host(booted=True, kills=False, unit=unit_of(OWN)), "warn", "last login"),
        (Host(booted=True, kills=True, unit=unit_of(CRON)), "ok", "cron.service"),
        (Host(container="docker", init="bash", inside=True), "warn", "(docker, whose first program, bash, is no init)"),
        (Host(container="kubepods", init="tini"), "warn", "(kubepods): the session's runner ends"),
    ],
)
def test_what_happens_at_logout_is_said_as_it_is(host: Host, outcome: str, words: str) -> None:
    said = told(host)
    assert said[0] == outcome and words in said[1]
    assert bool(said[2]) == (outcome == "warn")
    assert ("lost with it" in said[1]) == host.inside


def test_a_container_is_known_by_its_cgroup_or_by_its_maker() -> None:
    assert container_of("0::/\n", []) == ""
    assert container_of("0::/\n", ["podman"]) == "podman"
    assert container_of("1:name=systemd:/kubepods/besteffort/pod1/docker-abc\n", ["docker"]) == "kubepods"


async def test_the_runner_gets_a_scope_of_the_users_systemd_where_that_helps(tmp_path: Path) -> None:
    """`systemd-run` is a small program that does as the real one does: it becomes what it is told to start."""
    manager = tmp_path / "runtime" / "systemd"
    manager.mkdir(parents=True)
    program = tmp_path / "systemd-run"
    program.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "XDG_RUNTIME_DIR": str(tmp_path / "runtime")}
    conf = tmp_path / "etc/systemd/logind.conf.d/10-site.conf"
    conf.parent.mkdir(parents=True)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    conf.write_text("[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n")
    assert await scope(environ, tmp_path) == (), "the user's systemd does not run"
    (manager / "private").touch()
    assert await scope(environ, tmp_path) == SCOPE
    conf.write_text("[Login]\nKillUserProcesses=no\n")
    assert await scope(environ, tmp_path) == (), (
        "the user's systemd ends with the last login, the login's scope does not"
    )
    conf.write_text("[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n")
    program.write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    assert await scope(environ, tmp_path) == ()
    assert (await look(tmp_path, environ, tmp_path)).kills is True
