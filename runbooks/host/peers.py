"""Who is at the other end of a Unix socket: as the kernel says, whatever is claimed there."""

import asyncio
import os
import pwd
import socket
import struct
import sys


def peer_of(writer: asyncio.StreamWriter) -> int:
    """The uid of the process at the other end, as it was when it connected or began to listen."""
    peer: socket.socket = writer.get_extra_info("socket")
    if sys.platform == "linux":
        return int(struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
    local_peercred = 1
    return int(struct.unpack("2i", peer.getsockopt(0, local_peercred, 8))[1])


def account_of(uid: int) -> str:
    """The name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def in_group(uid: int, gid: int) -> bool:
    """Whether an account belongs to a group. The owner of no account belongs to none."""
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        return False
    return gid in os.getgrouplist(account.pw_name, account.pw_gid)
