"""On what sort of file system a folder lies: `flock` keeps nobody on another host away."""

import re
from dataclasses import dataclass
from pathlib import Path

from migrations.problem import Unavailable

NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.davfs", "fuse.glusterfs", "fuse.rclone",
    "fuse.s3fs", "fuse.sshfs", "fuse.vmhgfs-fuse", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs",
})  # fmt: skip
"""Types, as /proc/self/mountinfo has them, of what another host may write to at the same time."""

OVERLAY = frozenset({"overlay", "aufs"})
"""Types of what is gone with its container."""

_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system. `source` is the server and its share, the device, or a word."""

    point: str
    type: str
    source: str


def mounts(mountinfo: str) -> list[Mount]:
    """What /proc/self/mountinfo says, in its order: of two on one point, the later one is seen."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if len(left) > 4 and len(right) > 1:
            found.append(Mount(_plain(left[4]), right[0], _plain(right[1])))
    return found


def mount_of(path: str, mountinfo: str) -> Mount | None:
    """The file system that an absolute path without links lies on."""
    above = [m for m in mounts(mountinfo) if path == m.point or path.startswith(m.point.rstrip("/") + "/")]
    longest = max((len(mount.point) for mount in above), default=0)
    return next((mount for mount in reversed(above) if len(mount.point) == longest), None)


def lies_on(path: Path, proc: Path = Path("/proc")) -> Mount | None:
    """The file system of a path, or of the nearest folder above it that is there; None where nothing tells."""
    real = path.resolve()
    there = next((p for p in (real, *real.parents) if p.exists()), real)
    try:
        return mount_of(str(there), (proc / "self" / "mountinfo").read_text(errors="surrogateescape"))
    except OSError:
        return None


def must_be_local(path: Path, proc: Path = Path("/proc")) -> None:
    """Raises Unavailable for a network file system, by its name."""
    mount = lies_on(path, proc)
    if mount is not None and mount.type in NETWORK:
        raise Unavailable(
            f"{path} lies on a network file system ({mount.type}, {mount.source}).",
            advice="A lock there keeps no gonogo on another host away. Set XDG_STATE_HOME, or `sessions` in "
            "gonogo.toml, to a folder on a disk of this host.",
        )


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
