"""A session that is signed as it goes, with real keys and a real agent, over a journal without a database."""

import asyncio
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from fix_keys import Key, add, public

from migrations.problem import Misuse, Problem
from runbooks.faces.faces import Faces
from runbooks.journal import NAME, Journal, Verdict, check_artefacts, read, verify
from runbooks.redact import Redactor
from runbooks.report.markdown import transcript
from runbooks.running.recorder import Recorder
from runbooks.session import events as e
from runbooks.session.view import RunView
from runbooks.signing import HEAD, AllowedSigners, BadSignature, sign
from runbooks.signing.afterwards import sign_afterwards
from runbooks.signing.judged import Judged, first_signed, judge, operator_proven, signed_up_to, with_signatures
from runbooks.signing.kept import keep
from runbooks.signing.signatory import Signatory, Signing
from runbooks.signing.signed_head import SignedHead, read_signed_head
from tests.runbooks.conftest import ANA, SHA, Clock, opening, the_plan
from tests.runbooks.wired import Wired
from tui.commands.signatures import sign_transcript
from tui.commands.verify import verify_transcript

DOC = Path(__file__).parents[3] / "docs" / "journal.md"

APPROVED = e.Approval(
    needed=1,
    number="n-1",
    document=SHA,
    expires_at="2026-02-01T00:00:00Z",
    requester="ana@example.org",
    operator_key="SHA256:abc",
    signers="signers",
    signers_sha256=SHA,
    approvers=(),
)
GO = e.Decided(what="go", phase="backup", by=ANA)
END = e.SessionEnded(outcome="go", exit_code=0)


class Signed:
    """A session that a signatory looks at; `tell` waits until what is due is in the journal."""

    def __init__(self, folder: Path, signing: Signing | None, environ: Mapping[str, str] = os.environ) -> None:
        self.journal = folder / NAME
        self.recorder = Recorder(Journal.create(folder, Clock()), Redactor({}), RunView())
        self.recorder.append(opening())
        self.signatory = Signatory(self.recorder, folder, signing, environ)
        self.signatory.begin()

    async def tell(self, event: e.Event, seen: Callable[[RunView], object]) -> None:
        self.recorder.append(event)
        async with asyncio.timeout(60):
            await self.recorder.until(seen)

    async def over(self) -> None:
        self.recorder.append(END)
        async with asyncio.timeout(60):
            await self.signatory.finish()


def kept(n: int) -> Callable[[RunView], bool]:
    """So many signatures are in the journal, each with its text, and what is told of them."""
    return lambda view: len(view.artefacts) == 2 * n and "sort" in view.step("signing").progress


def grade(verdict: Verdict, judged: list[Judged]) -> str:
    return with_signatures(verdict, judged).grade


def people(**keys: Path) -> AllowedSigners:
    lines = [f"{name}@example.org {public(key)}\n" for name, key in keys.items()]
    return AllowedSigners.parse("".join(lines).encode(), shown="signers")


async def test_the_head_is_signed_at_the_opening_each_go_and_the_end(keys: Key, tmp_path: Path) -> None:
    ana, folder = keys("ana"), tmp_path / "s"
    ours = people(ana=ana, ben=keys("ben"))
    session = Signed(folder, Signing(key=str(ana)))
    await session.tell(the_plan().model_copy(update={"approval": APPROVED}), kept(2))
    await session.tell(GO, kept(3))
    await session.over()
    judged = judge(session.journal, ours)
    told = [(one.head.why, one.principal, one.refused) for one in judged if one.head]
    assert told == [(why, "ana@example.org", "") for why in ("opening", "plan", "go-backup", "end")]
    verdict, furthest = verify(session.journal), signed_up_to(judged)
    assert furthest is not None and furthest.head is not None and furthest.head.head == verdict.head
    assert verdict.opened is not None and operator_proven(judged, verdict.opened) == furthest.key
    assert grade(verdict, judged) == "signed"
    assert {one.state for one in check_artefacts(folder) if "signatures" in one.path} == {"same"}
    assert "proven by signature" in transcript(read(session.journal))

    unknown = judge(session.journal, None)
    assert {one.principal for one in unknown} == {""} and grade(verdict, unknown) == "consistent"
    assert grade(verdict, judge(session.journal, people(ben=keys("ben")))) == "consistent"
    assert grade(verdict, judged[:-1]) == "consistent", "what was signed ends before the journal does"


async def test_signatures_prove_nothing_of_another_journal(keys: Key, tmp_path: Path) -> None:
    ana = keys("ana")
    ours = people(ana=ana)
    one, other = (Signed(tmp_path / name, Signing(key=str(ana))) for name in "ab")
    other.recorder.append(the_plan())  # the same session, recorded anew
    for session in (one, other):
        await session.over()
    (tmp_path / "a" / "signatures").rename(tmp_path / "kept")
    (tmp_path / "b" / "signatures").rename(tmp_path / "a" / "signatures")
    _, plan, end = judge(one.journal, ours)
    assert plan.against and "record 1 had another hash" in plan.refused
    assert end.against and "is missing here" in end.refused
    assert grade(verify(one.journal), [end]) == "broken"

    text = next((tmp_path / "kept").glob("*-end.txt"))
    text.write_text(text.read_text().replace("CHG-4821", "CHG-4822"))
    (tmp_path / "a" / "signatures").rename(tmp_path / "gone")
    (tmp_path / "kept").rename(tmp_path / "a" / "signatures")
    assert "not a signature of this text" in judge(one.journal, ours)[-1].refused
    assert grade(verify(one.journal), judge(one.journal, ours)) == "consistent"


async def test_a_signature_of_another_session_is_refused(keys: Key, tmp_path: Path, write) -> None:
    ana = keys("ana")
    folder, elsewhere = write([opening(), END]), write([opening(session="20260131T020304Z-staging-0000"), END])
    sign_afterwards(elsewhere / NAME, ana)
    (elsewhere / "signatures").rename(folder / "signatures")
    judged = judge(folder / NAME, people(ana=ana))
    assert [one.refused for one in judged] == ["it is of the session 20260131T020304Z-staging-0000"]
    assert grade(verify(folder / NAME), judged) == "consistent"


async def test_an_agent_that_goes_away_is_told_and_stops_nothing(
    keys: Key, agent: dict[str, str], tmp_path: Path
) -> None:
    key, apart = keys("carried"), tmp_path / "carried.pub"
    apart.write_text(public(key))
    add(key, agent)
    session = Signed(tmp_path / "s", Signing(key=str(apart)), agent)
    await session.tell(the_plan(), kept(2))
    os.kill(int(agent["SSH_AGENT_PID"]), signal.SIGKILL)
    await session.tell(GO, lambda view: view.unsigned)
    await session.over()
    said = transcript(read(session.journal))
    assert "a record was to be signed, and was not" in said and "No agent holds the key" in said
    judged = judge(session.journal, people(ana=key))
    assert [one.head.why for one in judged if one.head] == ["opening", "plan"]
    assert grade(verify(session.journal), judged) == "consistent"
    assert "as claimed" in said, "whose the key is was not asked"


async def test_who_attaches_brings_a_key_or_the_agent_that_has_it(
    keys: Key, agent: dict[str, str], tmp_path: Path
) -> None:
    key, apart = keys("carried"), tmp_path / "carried.pub"
    apart.write_text(public(key))
    add(key, agent)
    gone = {**agent, "SSH_AUTH_SOCK": str(tmp_path / "gone")}
    wired = Wired(tmp_path / "s", Journal.create(tmp_path / "s", Clock()))
    signatory = Signatory(wired.recorder, wired.folder, None, gone)
    wired.faces = Faces(wired.recorder, wired.folder, wired.submit, signatory=signatory)
    signatory.begin()
    seen = wired.recorder.until
    async with asyncio.timeout(60):
        await (await wired.face(signing=Signing(key=str(apart)))).close()
        await seen(lambda view: view.unsigned)
        await (await wired.face(agent=agent["SSH_AUTH_SOCK"])).close()
        await seen(kept(1))
        wired.recorder.append(END)
        await signatory.finish()
    await wired.close()
    signed = [(one.head.why, one.principal) for one in judge(wired.folder / NAME, people(ana=key)) if one.head]
    assert signed == [("attached", "ana@example.org"), ("end", "ana@example.org")]


def test_an_ended_session_is_signed_afterwards_by_several(keys: Key, write) -> None:
    folder = write([opening(), END])
    for name in ("ana", "ben"):
        head, path = sign_afterwards(folder / NAME, keys(name))
        assert path.exists() and head.why == "afterwards"
    judged = judge(folder / NAME, people(ana=keys("ana"), ben=keys("ben")))
    assert [one.principal for one in judged] == ["ana@example.org", "ben@example.org"]
    with pytest.raises(Problem, match="has not ended"):
        sign_afterwards(write([opening()]) / NAME, keys("ana"))


def test_the_commands_of_the_docs_check_a_signature_without_gonogo(keys: Key, write) -> None:
    noise = e.StepOutput(step="dump", attempt=1, stream="out", text="x")
    folder = write([opening(), *[noise] * 41, END])
    (folder / "signers").write_bytes(people(ana=keys("ana")).text)
    verdict = verify(folder / NAME)
    head = SignedHead.of(opening(), 42, verdict.head, "end", "2026-01-31T02:19:40.123456Z")
    text, _ = keep(folder, head, sign(head.text(), HEAD, keys("ana")))
    block = re.search(r"```sh\n(S=signatures.*?)```", DOC.read_text(), re.DOTALL)
    assert block is not None
    first, *commands = block[1].splitlines()
    assert len(commands) == 4 and all(_ends_well(folder, first, command) for command in commands)

    journal = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(journal.replace(verdict.head.encode(), b"0" * 64))
    assert not _ends_well(folder, first, commands[3])
    text.write_bytes(text.read_bytes().replace(b"CHG-4821", b"CHG-4822"))
    assert not any(_ends_well(folder, first, command) for command in (commands[0], commands[2]))
    (folder / "signers").write_bytes(people(ben=keys("ben")).text)
    assert not _ends_well(folder, first, commands[1])


def _ends_well(folder: Path, *lines: str) -> bool:
    done = subprocess.run(["sh", "-eu"], input="\n".join(lines), cwd=folder, text=True, capture_output=True, timeout=30)
    return done.returncode == 0


def test_verify_says_who_signed_and_the_grade_is_theirs(keys: Key, write, tmp_path: Path) -> None:
    folder, signers, ana = write([opening(), END]), tmp_path / "signers", keys("ana")
    signers.write_bytes(people(ana=ana).text)
    told = CliRunner(env={"GONOGO_SIGN": str(ana)})
    assert told.invoke(sign_transcript, [str(folder)]).exit_code == 0
    plain, named = ([str(folder), "--at-least", grade, *more] for grade, *more in (
        ("consistent",), ("signed", "--signers", str(signers)),
    ))  # fmt: skip
    alone = told.invoke(verify_transcript, plain)
    assert (
        alone.exit_code == 0 and "which no signers' file names" in alone.stdout and "grade: consistent" in alone.stdout
    )
    known = told.invoke(verify_transcript, named)
    assert known.exit_code == 0 and "grade: signed" in known.stdout
    assert re.search(r"by ana@example\.org, key SHA256:\S+: record 1 \(afterwards\)", known.stdout)
    assert json.loads(told.invoke(verify_transcript, [*named, "--json"]).stdout)["signatures"][0]["record"] == 1
    assert isinstance(told.invoke(verify_transcript, named[:3]).exception, Misuse), "signed by whom?"
    apart = tmp_path / "apart.jsonl"
    apart.write_bytes((folder / "journal.jsonl").read_bytes())
    missed = told.invoke(verify_transcript, [str(apart), "--signers", str(signers)])
    assert isinstance(missed.exception, Misuse), "nobody is to think that they were looked at"
    (tmp_path / "none.jsonl").touch()
    empty = told.invoke(verify_transcript, [str(tmp_path / "none.jsonl"), "--at-least", "open"])
    assert empty.exit_code == 1 and "empty: there is no record" in empty.stdout
    next((folder / "signatures").glob("*.txt")).write_text("another text")
    forged = told.invoke(verify_transcript, plain)
    assert forged.exit_code == 1 and "proves nothing" in forged.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("record: 7\n", "record: 7\nrecord: 8\n"),
        ("record: 7\n", "record: 07\n"),
        ("\nwhy: end", "\n\nwhy: end"),
        ("session: ", "session: \x1b[2J"),
        ("why: end", "why: ../end"),
        ("gonogo: the head", "gonogo: an approval, not the head"),
        ("signed: 2026-01", "signed: 2026-13"),
    ],
)
def test_a_signed_text_can_be_read_in_one_way_only(old: str, new: str) -> None:
    head = SignedHead.of(opening(), 7, "0" * 64, "end", "2026-01-31T02:19:40.123456Z")
    assert read_signed_head(head.text()) == head
    changed = head.text().decode().replace(old, new)
    assert changed.encode() != head.text()
    with pytest.raises(BadSignature):
        read_signed_head(changed.encode())


def test_the_first_record_is_said_to_be_signed_by_somebody_known_where_there_is_one() -> None:
    head = SignedHead.of(opening(), 0, "0" * 64, "opening", "2026-01-31T11:30:00.000000Z")
    stranger, ben = Judged("1", head, "SHA256:s"), Judged("2", head, "SHA256:b", "ben@example.org")
    assert first_signed([stranger, ben]) == ben == first_signed([ben, stranger])
    assert first_signed([stranger, replace(ben, refused="forged")]) == stranger
    assert first_signed([replace(ben, refused="forged")]) is None
