"""Stock ssh-keygen: it never asks, and gets of the environment only what leads to a key."""

from collections.abc import Mapping
from pathlib import Path

from migrations.asking import Answer, ask
from migrations.problem import Unavailable

PROGRAM = "ssh-keygen"
NEEDED = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER")
SECONDS = 30.0
"""How long it may take: some keys wait for a finger on them."""
_NO_SUCH_OPTION = ("unknown option -- Y", "illegal option -- Y", "invalid option -- 'Y'")


def keygen(*arguments: str, environ: Mapping[str, str], stdin: bytes = b"") -> Answer:
    """Run `ssh-keygen -Y …` to its end. Raises Unavailable where there is none, or an old one; Problem after 30 s."""
    # Without a terminal and without a helper program there is nothing on which it could ask for a passphrase.
    # Dates in a file of signers mean the same on every machine.
    env = {name: environ[name] for name in NEEDED if name in environ}
    env |= {"SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C", "TZ": "UTC"}
    try:
        answer = ask([PROGRAM, "-Y", *arguments], cwd=Path("/"), env=env, stdin=stdin, timeout=SECONDS)
    except Unavailable as missing:
        raise Unavailable(missing.what, advice="Install OpenSSH's client programs, 8.1 or newer.") from None
    if any(words in answer.err for words in _NO_SUCH_OPTION):
        raise Unavailable(
            f"This {PROGRAM} knows no signatures.", advice="OpenSSH has them since 8.1: install a newer one."
        )
    return answer


def said(answer: Answer) -> str:
    """The last that it said."""
    lines = [line.strip() for line in answer.err.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else f"it ended with {answer.code}"
