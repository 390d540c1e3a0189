"""That an operator is who they say: the key that they sign with is theirs, by a file of signers."""

import os
from collections.abc import Mapping
from pathlib import Path

from migrations.problem import Misuse
from runbooks.events import By
from runbooks.signing import AllowedSigners, Signer, ready

__all__ = ["prove_operator"]


def prove_operator(key: Path, by: By, signers: AllowedSigners, environ: Mapping[str, str] = os.environ) -> Signer:
    """The operator, proven before a session begins: the key can sign, and is the named one's own.

    Give the session `Signing(key=…, signers=…)` as well: then it signs its first record, and keeps who that was.
    Raises Misuse, Unavailable.
    """
    signature = ready(key, environ)
    named = signers.owner(signature.key)
    if named is None:
        raise Misuse(
            f"{signers.shown} does not name the key {signature.fingerprint}, with which this session would be signed.",
            advice="Sign with the key that stands there by your name.",
        )
    if named.principal != by.name:
        raise Misuse(
            f"The operator is given as {by.name}, and the key is that of {named.principal}.",
            advice=f"Sign with your own key, or say --operator {named.principal}.",
        )
    return Signer(named.principal, signature.fingerprint)
