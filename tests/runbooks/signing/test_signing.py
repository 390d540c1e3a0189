"""Signing with real keys, and who may sign. Stock ssh-keygen makes and judges every signature here."""

import base64
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fix_keys import Key, add, public

from migrations.problem import Misuse, Unavailable
from runbooks.signing import APPROVAL, HEAD, AllowedSigners, BadSignature, BadSigners, NotNamed, check, ready, sign

TEXT = b"a small text\nof two lines\n"
Rewrite = Callable[[str], str]


def signers(*lines: str) -> AllowedSigners:
    return AllowedSigners.parse("".join(f"{line}\n" for line in lines).encode(), shown="signers")


@pytest.mark.parametrize("type", ["ed25519", "ecdsa", "rsa"])
def test_what_a_key_signs_is_known_as_its_owners(keys: Key, type: str) -> None:
    key = keys(f"ana-{type}", type=type)
    who = check(TEXT, sign(TEXT, HEAD, key).armour, HEAD, signers("# people", f"ana@example.org {public(key)}"))
    listed = subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, text=True, check=True)
    assert who.principal == "ana@example.org" and who.fingerprint == listed.stdout.split()[1]


def test_a_forged_signature_is_refused(keys: Key) -> None:
    ana, ben = keys("ana"), keys("ben")
    people, armour = signers(f"ana@example.org {public(ana)}"), sign(TEXT, HEAD, ana).armour
    lines = armour.splitlines()
    with pytest.raises(BadSignature, match="not a signature of this text"):
        check(TEXT + b" ", armour, HEAD, people)
    with pytest.raises(BadSignature, match="another purpose: 'gonogo-approval'"):
        check(TEXT, sign(TEXT, APPROVAL, ana).armour, HEAD, people)
    with pytest.raises(NotNamed, match="which signers does not name"):
        check(TEXT, sign(TEXT, HEAD, ben).armour, HEAD, people)
    turned = "".join(reversed(lines[4]))
    for bad in ("", "no signature", "\n".join([*lines[:-2], lines[-1]]), armour.replace(lines[4], turned)):
        with pytest.raises(BadSignature):
            check(TEXT, bad, HEAD, people)


def test_a_key_signs_for_what_and_while_its_line_says(keys: Key) -> None:
    key = keys("ana")
    armour = sign(TEXT, HEAD, key).armour
    with pytest.raises(BadSignature, match=r"line 1 does not let ana@example\.org sign this"):
        check(TEXT, armour, HEAD, signers(f'ana@example.org namespaces="{APPROVAL}" {public(key)}'))
    line = f'ana@example.org namespaces="gonogo-*",valid-before="20260201" {public(key)}'
    assert check(TEXT, armour, HEAD, signers(line), at=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    with pytest.raises(BadSignature, match="expired"):
        check(TEXT, armour, HEAD, signers(line), at=datetime(2026, 2, 1, 0, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["*@example.org ANA"], "line 1: .* is a pattern"),
        (["an?@example.org ANA"], "is a pattern"),
        (["!ben@example.org ANA"], "is a pattern"),
        (["ana@example.org,ana@home ANA"], "more than one name"),
        (['"ana" ANA'], "in quotes"),
        (["ana cert-authority ANA"], "cert-authority"),
        (['ana namespaces="gonogo-head",cert-authority ANA'], "cert-authority"),
        (["ana CERT-AUTHORITY ANA"], "cert-authority"),
        (["ana no-touch ANA"], "option 'no-touch' is not known"),
        (["ana"], "not a name, options and a public key"),
        (["ana ssh-ed25519 QUJD"], "no ssh-ed25519 key"),
        (["ana ssh-dss QUJD"], "type ssh-dss"),
        (["# people", "", "ana ANA", "ana2 ANA"], "line 4: the key of ana2 is that of ana in line 3"),
        (["ana ANA", "ben BEN", 'ana namespaces="gonogo-head" ANA'], "line 3: line 1 names ana with the same key"),
        (["ana@example.org ANA", "Ana@example.org BEN"], "line 2: Ana@example.org is written ana@example.org"),
        (["an\u0430 ANA"], "'an.u0430' is not ASCII"),
        (["ana ANA", "# a line\x1b[2J"], "line 2: it holds what cannot be printed"),
    ],
)
def test_a_line_that_names_no_one_person_is_refused(keys: Key, lines: list[str], why: str) -> None:
    given = [line.replace("ANA", public(keys("ana"))).replace("BEN", public(keys("ben"))) for line in lines]
    with pytest.raises(BadSigners, match=why):
        signers(*given)


@pytest.mark.parametrize("zeros", [(1, 0), (0, 1)], ids=["exponent", "modulus"])
def test_a_key_is_written_in_one_way_only(keys: Key, zeros: tuple[int, int]) -> None:
    """OpenSSH takes a number with zeros before it as the same: one key, that would pass as two."""
    name, plain, _ = public(keys("ana-rsa", type="rsa")).split(" ", 2)
    fields, rest = list[bytes](), base64.b64decode(plain)
    while rest:
        end = 4 + int.from_bytes(rest[:4])
        fields, rest = [*fields, rest[4:end]], rest[end:]
    padded = [fields[0], *(bytes(n) + field for n, field in zip(zeros, fields[1:], strict=True))]
    other = base64.b64encode(b"".join(len(field).to_bytes(4) + field for field in padded)).decode()
    signers(f"ana {name} {plain}")
    with pytest.raises(BadSigners, match="line 2: its key is no ssh-rsa key"):
        signers(f"ana {name} {plain}", f"ben {name} {other}")


def test_one_person_may_have_two_keys(keys: Key) -> None:
    people = signers(f"ana {public(keys('ana'))}", f"ana {public(keys('ben'))}", f"\tcleo {public(keys('cleo'))}\r")
    assert [one.principal for one in people.people] == ["ana", "ana", "cleo"]


def test_a_key_that_cannot_sign_says_what_to_do_and_never_asks(keys: Key, tmp_path: Path) -> None:
    locked = keys("locked", passphrase="open sesame")
    without = {"PATH": os.environ["PATH"], "DISPLAY": ":0", "SSH_ASKPASS": "/bin/false"}
    with pytest.raises(Misuse, match=r"has a passphrase.*ssh-agent.*ssh-add .*locked$"):
        ready(locked, without)
    with pytest.raises(Misuse, match=r"There is no key"):
        ready(tmp_path / "none", without)
    (tmp_path / "junk").write_text("junk")
    with pytest.raises(Misuse, match="is no key that can sign"):
        ready(tmp_path / "junk", without)
    with pytest.raises(Unavailable, match="no program ssh-keygen"):
        ready(locked, {"PATH": str(tmp_path)})
    old = tmp_path / "ssh-keygen"
    old.write_text("#!/bin/sh\necho 'unknown option -- Y' >&2\nexit 1\n")
    old.chmod(0o755)
    with pytest.raises(Unavailable, match=r"since 8\.1"):
        ready(locked, {"PATH": f"{tmp_path}:{os.environ['PATH']}"})


def test_a_machine_without_room_is_told_as_that(keys: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    with pytest.raises(Unavailable, match="No file could be written for ssh-keygen"):
        ready(keys("ana"))


def test_the_agent_signs_for_a_public_key(keys: Key, agent: dict[str, str], tmp_path: Path) -> None:
    key = keys("carried")
    apart = tmp_path / "carried.pub"
    apart.write_text(public(key))
    with pytest.raises(Misuse, match=r"No agent holds the key.*Try: ssh-add .*carried$"):
        ready(apart, agent)
    add(key, agent)
    assert check(TEXT, sign(TEXT, HEAD, apart, agent).armour, HEAD, signers(f"ana {public(key)}")).principal == "ana"
