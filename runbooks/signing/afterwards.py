"""Signing a session that has ended, by whoever stands for it."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from migrations.problem import Problem
from runbooks.journal import verify
from runbooks.journal.records import stamp
from runbooks.signing import HEAD, sign
from runbooks.signing.kept import keep
from runbooks.signing.signed_head import AFTERWARDS, SignedHead


def sign_afterwards(journal: Path, key: Path, environ: Mapping[str, str] = os.environ) -> tuple[SignedHead, Path]:
    """Sign the last record of a journal, if it is whole. Returns what was signed, and the signature's file.

    Raises Problem: it does not hold, or has no end; Misuse and Unavailable as `sign` does.
    """
    verdict = verify(journal)
    if verdict.fault is not None or verdict.opened is None:
        raise Problem("This journal does not hold, so it is not signed.", advice="See `gonogo transcript verify`.")
    if not verdict.ended:
        raise Problem("This session has not ended, so it is not signed.", advice=f"gonogo resume {journal.parent.name}")
    now = stamp(datetime.now(UTC))
    head = SignedHead.of(verdict.opened, verdict.records - 1, verdict.head, AFTERWARDS, now)
    _, path = keep(journal.parent, head, sign(head.text(), HEAD, key, environ))
    return head, path
