"""What this host does to a program when whoever started it logs out: of files and of systemd, if it is there."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrations.asking import ask
from migrations.problem import Problem
from runbooks.host.mounts import OVERLAY, lies_on
from runbooks.host.peers import account_of

ROOT = Path("/")
CONFIGURED = ("usr/lib/systemd", "usr/local/lib/systemd", "run/systemd", "etc/systemd")
"""Where logind.conf and logind.conf.d lie; what stands later counts more."""
INITS = frozenset({
    "systemd", "init", "tini", "docker-init", "dumb-init", "catatonit", "s6-svscan", "runit", "openrc-init", "busybox",
})  # fmt: skip
SECONDS = 3.0
SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect", "--")


@dataclass(frozen=True, slots=True)
class Host:
    """`kills` as logind is set, None where nothing tells. `unit`: the systemd unit that we are in, with those above.

    `container` names the sort, empty outside of one; `init` is its first program. `inside`: the record is lost with it.
    """

    booted: bool = False
    kills: bool | None = None
    lingers: bool = False
    unit: str = ""
    container: str = ""
    init: str = ""
    inside: bool = False


Told = tuple[Literal["ok", "warn"], str, str]
"""Outcome, evidence, advice."""


def told(host: Host) -> Told:
    """Whether what runs now goes on when the operator logs out."""
    if host.container:
        reaps = "" if host.init in INITS else f", whose first program, {host.init or 'not known'}, is no init"
        record = "; the record lies inside, and is lost with it" if host.inside else ""
        words = f"in a container ({host.container}{reaps}): the session's runner ends when the container does{record}"
        keep = " Put `sessions` on a volume." if host.inside else ""
        return "warn", words, f"Keep the container until the session has ended, also when you leave.{keep}"
    if not host.booted:
        return "ok", "no systemd here that would end it", ""
    if host.lingers and in_user_manager(host.unit):
        return "ok", "in a scope of the user's own systemd, which lingers", ""
    if host.kills is False and not in_user_manager(host.unit):
        return "ok", "logind leaves what a user started (KillUserProcesses=no)", ""
    if host.unit.endswith(".service") and not in_user_manager(host.unit):
        return "ok", f"in {host.unit.rpartition('/')[2]}, which is no login", ""
    if in_user_manager(host.unit):
        words = "in the user's own systemd, which ends with the last login of this account"
    elif host.kills:
        words = "this host ends a user's programs at logout (KillUserProcesses=yes)"
    else:
        words = "whether this host ends a user's programs at logout is not known"
    return "warn", words, "`loginctl enable-linger` lets the session's runner go on; or stay logged in until its end."


def in_user_manager(unit: str) -> bool:
    """Whether it runs under the user's own systemd, not in the scope of a login."""
    return "/user@" in f"/{unit}"


def kills_at_logout(texts: Iterable[str], user: str) -> bool | None:
    """What logind's configuration files say, the weightiest last, of this user; None if they do not."""
    said: dict[str, str] = {}
    for text in texts:
        section = ""
        for line in (line.strip() for line in text.splitlines()):
            if line.startswith("["):
                section = line
            elif section == "[Login]" and "=" in line and line[0] not in "#;":
                key, _, value = line.partition("=")
                said[key.strip()] = value.strip()
    kills = said.get("KillUserProcesses", "").lower()
    if kills not in ("yes", "true", "on", "1", "no", "false", "off", "0"):
        return None
    only, excluded = said.get("KillOnlyUsers", "").split(), said.get("KillExcludeUsers", "root").split()
    return kills in ("yes", "true", "on", "1") and user not in excluded and (not only or user in only)


def unit_of(cgroup: str) -> str:
    """The unit of /proc/PID/cgroup, with those above it, from systemd's own hierarchy."""
    paths = [
        line.split(":", 2)[2] for line in cgroup.splitlines() if line.startswith("0::") or ":name=systemd:" in line
    ]
    return max(paths, key=len, default="").strip("/")


def container_of(cgroup: str, marks: Sequence[str]) -> str:
    """What sort of container, by /proc/1/cgroup and by the files that its makers leave; empty if none."""
    sorts = ("kubepods", "docker", "containerd", "libpod", "lxc", "garden")
    by_cgroup = next((sort for sort in sorts if sort in cgroup), "")
    return by_cgroup or next(iter(marks), "")


async def look(folder: Path, environ: Mapping[str, str], root: Path = ROOT) -> Host:
    """This host, as a runner with this session folder finds it."""
    booted = (root / "run/systemd/system").is_dir()
    user = account_of(os.getuid())
    mount = lies_on(folder, root / "proc")
    marks = {"docker": ".dockerenv", "podman": "run/.containerenv", "nspawn": "run/systemd/container"}
    container = container_of(_read(root / "proc/1/cgroup"), [n for n, file in marks.items() if (root / file).exists()])
    return Host(
        booted=booted,
        kills=await _kills(user, environ, root) if booted else None,
        lingers=(root / "var/lib/systemd/linger" / user).exists(),
        unit=unit_of(_read(root / "proc/self/cgroup")),
        container=container,
        init=_read(root / "proc/1/comm").strip(),
        inside=mount is not None and mount.type in OVERLAY,
    )


async def scope(environ: Mapping[str, str], root: Path = ROOT) -> tuple[str, ...]:
    """What a runner is started with, so that it is in a scope of the user's own systemd. Nothing where that is no help.

    Without lingering, that systemd ends with the last login: then a login's scope is the better place, unless it kills.
    """
    manager = Path(environ.get("XDG_RUNTIME_DIR", "/nowhere")) / "systemd" / "private"
    if not manager.exists():
        return ()
    host = await look(ROOT, environ, root)
    if not (host.lingers or host.kills):
        return ()
    tried = await _asked([*SCOPE, "true"], environ)
    return SCOPE if tried is not None else ()


async def _kills(user: str, environ: Mapping[str, str], root: Path) -> bool | None:
    """As logind itself says, with what was built into it; else as it is configured."""
    configured = kills_at_logout(_configuration(root), user)
    if configured is not None:
        return configured
    said = await _asked(["loginctl", "show-session", "--property=KillUserProcesses"], environ) or ""
    words = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return {"yes": user != "root", "no": False}.get(words.get("KillUserProcesses", ""))


async def _asked(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What a program says that answers at once; None if it fails, or is not there."""
    try:
        answer = await asyncio.to_thread(ask, argv, cwd=ROOT, env=environ, timeout=SECONDS)
    except Problem:
        return None
    return answer.out.decode(errors="replace") if answer.code == 0 else None


def _configuration(root: Path) -> list[str]:
    """logind.conf of the weightiest place, then every file of the .d folders by its name."""
    main = [root / place / "logind.conf" for place in CONFIGURED]
    added = {f.name: f for place in CONFIGURED for f in sorted((root / place / "logind.conf.d").glob("*.conf"))}
    found = [text for text in map(_read, main) if text]
    return [*found[-1:], *(_read(added[name]) for name in sorted(added))]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
