"""Who is operating: a claimed name, and beside it what the machine knows."""

import os
import socket
from collections.abc import Mapping

from migrations.problem import Problem
from migrations.process import capture
from runbooks.host.peers import account_of
from runbooks.session.events import By


async def who(claimed: str | None, environ: Mapping[str, str]) -> By:
    """`--operator`, else GONOGO_OPERATOR, else git's user.email, else login@host."""
    login, host = account_of(os.getuid()), socket.gethostname()
    name = claimed or environ.get("GONOGO_OPERATOR") or await _git_email(environ) or f"{login}@{host}"
    ssh = environ.get("SSH_CLIENT", "").partition(" ")[0] or None
    return By(name=name, os_user=login, host=host, ssh=ssh)


async def _git_email(environ: Mapping[str, str]) -> str:
    try:
        code, email, _ = await capture(["git", "config", "user.email"], env=environ)
    except Problem:
        return ""
    return email.strip() if code == 0 else ""
