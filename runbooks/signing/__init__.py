"""Signatures with the keys that people have: made and checked by stock ssh-keygen. See docs/journal.md."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from migrations.asking import Answer
from migrations.problem import Misuse, Problem, Unavailable
from runbooks.signing.keygen import keygen, said
from runbooks.signing.signers import AllowedSigners, BadSigners
from runbooks.signing.sshsig import BadSignature, Signature, read_signature

__all__ = [
    "APPROVAL",
    "HEAD",
    "AllowedSigners",
    "BadSignature",
    "BadSigners",
    "NotNamed",
    "Signature",
    "Signer",
    "check",
    "genuine",
    "read_signature",
    "ready",
    "sign",
]

HEAD = "gonogo-head"
APPROVAL = "gonogo-approval"
TRIAL = "gonogo-trial"
"""Namespaces: a signature that was made in one is none in another."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, by the name that a file of signers gives to the key."""

    principal: str
    fingerprint: str


class NotNamed(BadSignature):
    """A signature that is right, by a key that no line of the file of signers has."""


def ready(key: Path, environ: Mapping[str, str] = os.environ) -> Signature:
    """Try a key, before anything depends on it: the signature is for nothing. Raises as `sign` does."""
    return sign(b"gonogo tries whether this key can sign\n", TRIAL, key, environ)


def sign(text: bytes, namespace: str, key: Path, environ: Mapping[str, str] = os.environ) -> Signature:
    """Sign bytes with a private key, or with a public one whose other half an agent holds (SSH_AUTH_SOCK).

    Nothing is ever asked. Raises Misuse: what to do about the key; Unavailable: no ssh-keygen, or too old a one;
    BadSignature: an agent answered something else.
    """
    path = key.expanduser().absolute()
    if not path.is_file():
        raise Misuse(f"There is no key {key}.", advice="Name a private key, or a public one that your agent holds.")
    answer = keygen("sign", "-f", str(path), "-n", namespace, stdin=text, environ=environ)
    if answer.code != 0:
        raise _cannot(path, answer, environ)
    return genuine(text, answer.out.decode("ascii", "replace"), namespace, environ)  # an agent could answer anything


def genuine(text: bytes, armour: str, namespace: str, environ: Mapping[str, str] = os.environ) -> Signature:
    """A signature of these bytes for this purpose, by whichever key. Raises BadSignature, Unavailable."""
    signature = read_signature(armour)
    if signature.namespace != namespace:
        raise BadSignature(f"It was made for another purpose: {signature.namespace!a}, not {namespace}.")
    with _files(armour.encode()) as (path,):
        answer = keygen("check-novalidate", "-n", namespace, "-s", path, stdin=text, environ=environ)
    if answer.code != 0:
        raise BadSignature("It is not a signature of this text: one of them was changed, or they are not a pair.")
    return signature


def check(
    text: bytes,
    armour: str,
    namespace: str,
    signers: AllowedSigners,
    environ: Mapping[str, str] = os.environ,
    *,
    at: datetime | None = None,
) -> Signer:
    """Who signed these bytes for this purpose. `at`: when, for keys that are good for a time only; else now.

    Raises NotNamed for a right signature by a key that no line has; BadSignature for every other one; Unavailable.
    """
    signature = genuine(text, armour, namespace, environ)
    named = signers.owner(signature.key)
    if named is None:
        raise NotNamed(
            f"It was signed with the key {signature.fingerprint}, which {signers.shown} does not name.",
            advice="Ask for that file from whoever keeps it; do not add a key because it signed.",
        )
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    when = ["-O", f"verify-time={moment:%Y%m%d%H%M%S}"] if named.timed else []
    with _files(armour.encode(), signers.text) as (path, names):
        given = ["-f", names, "-I", named.principal, "-n", namespace, "-s", path, *when]
        answer = keygen("verify", *given, stdin=text, environ=environ)
    if answer.code != 0:
        where = f"{signers.shown}, line {named.line}"
        raise BadSignature(f"{where} does not let {named.principal} sign this: {said(answer)}.")
    return Signer(named.principal, signature.fingerprint)


@contextmanager
def _files(*texts: bytes) -> Iterator[list[str]]:
    """Files of these bytes, which ssh-keygen wants by name. Raises Unavailable."""
    try:
        with tempfile.TemporaryDirectory(prefix="gonogo-") as place:
            paths = [Path(place) / str(number) for number in range(len(texts))]
            for path, text in zip(paths, texts, strict=True):
                path.write_bytes(text)
            yield [str(path) for path in paths]
    except OSError as error:
        raise Unavailable(f"No file could be written for ssh-keygen: {error.strerror}.", advice="Make room.") from None


def _cannot(key: Path, answer: Answer, environ: Mapping[str, str]) -> Problem:
    private = key.with_suffix("") if key.suffix == ".pub" else key
    add = f"ssh-add {private}" if environ.get("SSH_AUTH_SOCK") else f'eval "$(ssh-agent)" && ssh-add {private}'
    err = answer.err
    if "passphrase" in err:
        return Misuse(f"{private} has a passphrase, and no agent holds the key.", advice=f"Try: {add}")
    if "No private key found" in err and "too open" not in err:
        return Misuse(f"No agent holds the key of {key}.", advice=f"Try: {add}")
    if "too open" in err:
        return Misuse(f"{key} can be read by others, so it is not used.", advice=f"Try: chmod 600 {key}")
    if "Couldn't load public key" in err:
        return Misuse(f"{key} is no key that can sign.", advice="Name a private key, or a public one (.pub).")
    return Misuse(
        f"{key} did not sign: {said(answer)}.", advice=f"See whether this signs: ssh-keygen -Y sign -f {key} -n test"
    )
