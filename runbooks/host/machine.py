"""Which machine this is: a session goes on where it was begun."""

import socket
from hashlib import sha256
from pathlib import Path

from migrations.problem import Unavailable
from runbooks.session.events import SessionOpened

FILES = ("etc/machine-id", "var/lib/dbus/machine-id")


def machine(root: Path = Path("/")) -> str:
    """What tells this machine from others, by systemd's id of it, else by its name. Hashed: it is nobody's business."""
    return sha256(f"gonogo {_id(root) or socket.gethostname()}".encode()).hexdigest()[:32]


def must_be_here(opened: SessionOpened, root: Path = Path("/")) -> None:
    """Raises Unavailable for a session that was begun on another machine."""
    here, begun = socket.gethostname(), opened.operator.host
    same = opened.machine == machine(root) if opened.machine else begun == here
    if not same:
        raise Unavailable(
            f"{opened.session} was begun on another host, {begun}; this is {here}.",
            advice=f"Resume it on {begun}, where its runner may still be at work. If that host is gone, begin a new "
            f"session with `gonogo run {opened.environment}`: it looks at the database, and does not take this one up.",
        )


def _id(root: Path) -> str:
    for name in FILES:
        try:
            if found := (root / name).read_text(errors="replace").strip():
                return found
        except OSError:
            continue
    return ""
