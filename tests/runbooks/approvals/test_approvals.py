"""What a session accepts as approved: real keys, documents built in memory, and every way to cheat that we know."""

import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from fix_keys import Key, public

from migrations.folder import read_folder
from migrations.plan import Plan
from migrations.problem import Misuse, Problem
from runbooks.approvals.approval_document import ApprovalDocument, Signed, read_approval
from runbooks.approvals.approving import PLAN, keep_scripts
from runbooks.approvals.checkout import with_the_target
from runbooks.approvals.differences import differences
from runbooks.approvals.gate import Case, accepted, needed
from runbooks.approvals.judged import judge_papers
from runbooks.approvals.kept import keep, keep_signers, read_kept
from runbooks.approvals.plan_document import PlanDocument
from runbooks.approvals.signers import Source, read_signers
from runbooks.journal import NAME, Journal, Verdict, verify
from runbooks.planning.planning import Covered, CoveredRollback, CoveredScript, make_plan
from runbooks.report.approved import approval_points
from runbooks.session import events as e
from runbooks.settings.project import Environment, Project
from runbooks.signing import APPROVAL, HEAD, AllowedSigners, Signer, sign
from tests.runbooks.conftest import Clock, book_of, opening
from tui.commands.verify import verify_transcript
from tui.script_files import read_pending

ANA, BEN, EVE, ZOE = (f"{name}@example.org" for name in ("ana", "ben", "eve", "zoe"))
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SCRIPT = CoveredScript(name="1_drop", sha256="a" * 64, model="transaction", verify="", findings=(("table-drop", 0),))
COVERS = Covered(
    scripts=(SCRIPT,), system_identifier="7", database="shop", runbook="b" * 64, project="c" * 64, engine="native",
    model="safe",
)  # fmt: skip
TARGET = e.Target(
    address="", system_identifier="7", database="shop", oid="", in_recovery=False, postmaster_start="",
    timeline="", server_version="",
)  # fmt: skip


def by(name: str) -> e.By:
    return e.By(name=name, os_user=name.partition("@")[0], host="bastion-1")


def plan(covers: Covered = COVERS, requester: str = BEN, **fields: object) -> PlanDocument:
    given = {
        "gonogo": "0", "project": "shop", "environment": "production", "protected": True, "plan": covers.hash,
        "covers": covers, "address": "shop@db:5432", "server_version": "18", "ticket": "CHG-1",
        "requester": by(requester), "number": "d" * 32, "created_at": "2026-01-31T11:00:00Z",
        "expires_at": "2026-02-01T11:00:00Z",
    }  # fmt: skip
    return PlanDocument.model_validate({**given, **fields})


class Desk:
    """The keys of some people, the file that names them, and what they sign."""

    def __init__(self, keys: Key) -> None:
        self.keys = {name: keys(name.partition("@")[0]) for name in (ANA, BEN, EVE, ZOE)}
        lines = (f"{name} {public(self.keys[name])}\n" for name in (ANA, BEN, ZOE))
        self.source = Source(AllowedSigners.parse("".join(lines).encode(), shown="origin/main:signers"))

    def fingerprint(self, name: str) -> str:
        return sign(b"", HEAD, self.keys[name]).fingerprint

    def signed(
        self, document: PlanDocument, by_key: str = ANA, *, approver: str = ANA, asked: str = BEN, space: str = APPROVAL
    ) -> Signed:
        """An approval of a plan, signed with the key of `by_key`, in the name of `approver`."""
        requested = sign(document.text, PLAN, self.keys[asked]).armour if asked else ""
        made = ApprovalDocument(
            gonogo="0", plan=document, requested=requested, approver=approver, by=by(approver),
            at="2026-01-31T11:30:00Z", comment="after the\nbackup",
        )  # fmt: skip
        return Signed("approval.json", made, sign(made.text, space, self.keys[by_key]).armour)

    def case(self, who: str = ZOE, **fields: object) -> Case:
        signer = Signer(who, self.fingerprint(who))
        case = Case("shop", "production", "CHG-1", COVERS, by(who), signer, NOW)
        return replace(case, **fields)  # type: ignore[arg-type]


@pytest.fixture
def desk(keys: Key) -> Desk:
    return Desk(keys)


def test_a_second_engineer_says_yes(desk: Desk) -> None:
    approval = accepted([desk.signed(plan())], desk.case(), desk.source, 1)
    (one,) = approval.approvers
    assert (one.principal, one.key, one.comment) == (ANA, desk.fingerprint(ANA), "after the\nbackup")
    assert any("after the" in str(words) for words in approval_points(approval)), "it is read beside the approval"
    assert (approval.requester, approval.requester_key) == (BEN, desk.fingerprint(BEN))
    assert (approval.operator_key, approval.number) == (desk.fingerprint(ZOE), "d" * 32)
    both = accepted([desk.signed(plan()), desk.signed(plan(), ZOE, approver=ZOE)], desk.case(BEN), desk.source, 2)
    assert [one.principal for one in both.approvers] == [ANA, ZOE]


def other(**fields: object) -> Covered:
    return COVERS.model_copy(update=fields)


EDITED = other(scripts=(SCRIPT.model_copy(update={"sha256": "e" * 64, "findings": ()}),))
Wrong = Callable[[Desk], tuple[list[Signed], Case]]
WRONG: dict[str, tuple[Wrong, str]] = {
    "none": (lambda d: ([], d.case()), "takes 1 approval, and none is given"),
    "forged by a stranger": (lambda d: ([d.signed(plan(), EVE)], d.case()), "does not name"),
    "in another's name": (lambda d: ([d.signed(plan(), ZOE)], d.case(BEN)), f"by {ANA}, and {ZOE} signed"),
    "made for another purpose": (lambda d: ([d.signed(plan(), space=HEAD)], d.case()), "another purpose"),
    "of other bytes": (
        lambda d: ([replace(d.signed(plan(number="e" * 32)), signature=d.signed(plan()).signature)], d.case()),
        "not a signature of this text",
    ),
    "expired": (lambda d: ([d.signed(plan())], d.case(now=datetime(2026, 2, 1, 11, tzinfo=UTC))), "has expired"),
    "for longer than any": (
        lambda d: ([d.signed(plan(expires_at="2026-03-03T11:00:00Z"))], d.case()), "longer than 30 days"
    ),
    "of other answers": (
        lambda d: (
            [d.signed(plan(answers={"file": "a.toml", "text": ""}))],
            d.case(answers=e.AnswersFile(file="a.toml", sha256="f" * 64)),
        ),
        "approves a run by a.toml, SHA-256 e3b0c44298fc…, and a.toml has SHA-256 ffffffffffff",
    ),
    "of no answers": (
        lambda d: ([d.signed(plan())], d.case(answers=e.AnswersFile(file="a.toml", sha256="f" * 64))),
        "a run by no answers file, and a.toml has",
    ),
    "from the future": (lambda d: ([d.signed(plan())], d.case(now=datetime(2026, 1, 31, tzinfo=UTC))), "has only"),
    "by the operator": (lambda d: ([d.signed(plan())], d.case(ANA)), f"by {ANA}, who also operates"),
    "by the requester": (
        lambda d: ([d.signed(plan(requester=ANA), asked=ANA)], d.case()),
        f"by {ANA}, who also asked for the plan",
    ),
    "asked for under another's name": (
        lambda d: ([d.signed(plan(requester=BEN), asked=ANA)], d.case()),
        f"{BEN} asked for this plan, and {ANA} signed that",
    ),
    "asked for without a signature": (lambda d: ([d.signed(plan(), asked="")], d.case()), "did not sign it"),
    "an operator who proves nothing": (lambda d: ([d.signed(plan())], d.case(signer=None)), "proven and not claimed"),
    "an operator under another's name": (
        lambda d: ([d.signed(plan())], d.case(operator=by(EVE), signer=Signer(ZOE, "SHA256:x"))),
        f"{EVE} is said to operate, and {ZOE} signed",
    ),
    "twice by one person": (lambda d: ([d.signed(plan())] * 2, d.case()), "by one person"),
    "of two plans": (
        lambda d: ([d.signed(plan()), d.signed(plan(number="e" * 32), ZOE, approver=ZOE)], d.case(BEN)),
        "approve different plans",
    ),
    "for another ticket": (lambda d: ([d.signed(plan())], d.case(ticket="CHG-2")), "for the ticket CHG-1"),
    "for another environment": (lambda d: ([d.signed(plan(environment="staging"))], d.case()), "environment staging"),
    "another script": (
        lambda d: ([d.signed(plan())], d.case(covers=EDITED)),
        r"1_drop: SHA-256 aaaaaaaaaaaa… in the plan, eeeeeeeeeeee… now; 1_drop: table-drop at statement 1 in the plan",
    ),
    "one script more": (
        lambda d: ([d.signed(plan())], d.case(covers=other(scripts=(SCRIPT, SCRIPT.model_copy(update={"name": "2"}))))),
        "2: now, and not in the plan",
    ),
    "another database": (
        lambda d: ([d.signed(plan())], d.case(covers=other(database="crm"))),
        "the database: shop in the plan, crm now",
    ),
    "another runbook": (
        lambda d: ([d.signed(plan())], d.case(covers=other(runbook="d" * 64))), "the runbook: bbbbbbbbbbbb… in",
    ),
    "a hash that it does not have": (
        lambda d: ([d.signed(plan(plan="f" * 64))], d.case()), "its hash is not that of what it covers",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "words"), WRONG.values(), ids=list(WRONG))
def test_what_is_not_a_second_engineers_yes_is_refused(desk: Desk, wrong: Wrong, words: str) -> None:
    approvals, case = wrong(desk)
    with pytest.raises(Problem, match=words):
        accepted(approvals, case, desk.source, 1)


def test_one_key_under_a_second_name_and_a_second_key_of_one_person(desk: Desk) -> None:
    with pytest.raises(Misuse, match="Two names with one key are one person"):
        AllowedSigners.parse(f"{ANA} {public(desk.keys[ANA])}\nana2@x {public(desk.keys[ANA])}\n".encode(), shown="s")
    text = desk.source.signers.text + f"{ANA} {public(desk.keys[EVE])}\n".encode()
    two_keys = Source(AllowedSigners.parse(text, shown="s"))
    again = desk.signed(plan(), EVE)
    assert accepted([again], desk.case(), two_keys, 1).approvers[0].principal == ANA
    with pytest.raises(Problem, match="by one person: they have the same name"):
        accepted([desk.signed(plan()), again], desk.case(), two_keys, 2)
    with pytest.raises(Problem, match=f"by {ANA}, who also operates"):
        accepted([again], desk.case(ANA), two_keys, 1)


def test_stock_ssh_keygen_says_the_same_of_the_files(desk: Desk, tmp_path: Path) -> None:
    signed = desk.signed(plan())
    file, names = tmp_path / "a.json", tmp_path / "signers"
    file.write_bytes(signed.text)
    file.with_name("a.json.sig").write_text(signed.signature)
    names.write_bytes(desk.source.signers.text)
    given = ["ssh-keygen", "-Y", "verify", "-f", str(names), "-I", ANA, "-n", APPROVAL, "-s", f"{file}.sig"]
    assert subprocess.run(given, input=signed.text, capture_output=True).returncode == 0
    assert subprocess.run(given, input=signed.text.replace(b"CHG-1", b"CHG-2"), capture_output=True).returncode != 0
    assert read_approval(file).document == signed.document
    keep(tmp_path, [read_approval(file)])
    assert [one.name for one in read_kept(tmp_path)] == ["a.json"], "as it was given"
    first, again, other = (keep_signers(tmp_path, text) for text in (b"a", b"a", b"b"))
    assert first == again != other and (first.read_bytes(), other.read_bytes()) == (b"a", b"b")
    file.write_bytes(signed.text.replace(b'"table-drop"', b'"table-drip"'))
    with pytest.raises(Misuse, match="not that of what it covers"):
        read_approval(file)
    file.write_bytes(desk.signed(plan(expires_at="9999-12-31T23:59:59-12:00")).text)
    with pytest.raises(Misuse, match="times are not RFC 3339"):
        read_approval(file)


def test_an_approver_reads_the_scripts_as_a_session_shows_them_and_is_told_no_less_than_here(tmp_path: Path) -> None:
    (tmp_path / "1_role").mkdir()
    (tmp_path / "1_role" / "migration.sql").write_text("ALTER ROLE app PASSWORD 'correct horse';\n")
    (tmp_path / "1_role" / "rollback.sql").write_text("ALTER ROLE app PASSWORD 'battery horse';\n")
    pending = Plan(pending=tuple(read_folder(tmp_path)))
    production = Environment(name="production", protected=True)
    here = make_plan(project(tmp_path), production, book_of(), pending, TARGET, first_run=False, mark=None)
    keep_scripts(project(tmp_path), here, tmp_path)
    shown = [read_pending(tmp_path, script).text for script in here.to_review]
    assert len(shown) == 2 and all("ALTER ROLE app" in text and "horse" not in text for text in shown)
    assert with_the_target(here, plan(protected=False)).protected  # whatever the requester says of it


def test_another_way_back_is_another_plan_and_is_named() -> None:
    def with_back(**fields: object) -> Covered:
        back = CoveredRollback.model_validate(fields) if fields else None
        return COVERS.model_copy(update={"scripts": (SCRIPT.model_copy(update={"rollback": back}),)})

    def said(other: Covered) -> list[str]:
        return list(differences(with_back(text="1" * 64, sql="2" * 64, model="transaction"), other, "here"))

    assert "rollback" not in COVERS.scripts[0].model_dump() and plan().plan == COVERS.hash
    assert said(COVERS) == [
        "1_drop: rollback.md 111111111111… in the plan, none here",
        "1_drop: rollback.sql 222222222222… in the plan, none here",
    ]
    judged = with_back(text="1" * 64, sql="2" * 64, model="transaction", findings=(("table-drop", 0),))
    assert said(judged) == ["1_drop: findings of rollback.sql none in the plan, table-drop at statement 1 here"]


def test_what_loses_data_on_a_protected_target_takes_one_at_the_least() -> None:
    safe = e.PlanMade(hash="", target=TARGET, protected=True, scripts=())
    loses = safe.model_copy(update={"conditions": {"destructive": ("because",)}})
    elsewhere = loses.model_copy(update={"protected": False})
    none, two = Environment(name="production"), Environment(name="production", approvals=2)
    assert [needed(none, each) for each in (safe, loses, elsewhere)] == [0, 1, 0]
    assert [needed(two, each) for each in (safe, loses, elsewhere)] == [2, 2, 2]


def project(folder: Path) -> Project:
    return Project(name="shop", folder=folder, sha256="", migrations=folder, environments={})


def test_signers_are_where_the_operator_does_not_write(tmp_path: Path) -> None:
    (tmp_path / "signers").write_text("")
    with pytest.raises(Misuse, match="you could change it yourself"):
        read_signers(project(tmp_path), Environment(name="p", signers="signers"))
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    for way in ("link", "folder/passwd"):
        with pytest.raises(Misuse, match="a link leads from there to /etc/passwd"):
            read_signers(project(tmp_path), Environment(name="p", signers=way))
    with pytest.raises(Misuse, match="does not say who may approve"):
        read_signers(project(tmp_path), Environment(name="p"))


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_signers_of_a_branch_are_read_as_the_remote_has_it(desk: Desk, tmp_path: Path) -> None:
    origin, mine = tmp_path / "origin", tmp_path / "mine"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    (origin / "signers").write_bytes(desk.source.signers.text)
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "signers")
    git(tmp_path, "clone", "-q", str(origin), str(mine))
    (mine / "signers").write_text(f"{EVE} {public(desk.keys[EVE])}\n")
    git(mine, "commit", "-qam", "me too")
    found = read_signers(project(mine), Environment(name="p", signers_from="origin/main:signers"))
    assert [one.principal for one in found.signers.people] == [ANA, BEN, ZOE] and len(found.commit) == 40
    fake = tmp_path / "fake"
    fake.write_text(f"{ANA} {public(desk.keys[EVE])}\n")
    git(mine, "replace", git(mine, "rev-parse", "origin/main:signers"), git(mine, "hash-object", "-w", str(fake)))
    assert read_signers(project(mine), Environment(name="p", signers_from="origin/main:signers")) == found
    for branch in ("main", "HEAD", "nothing/main"):
        with pytest.raises(Misuse, match="no branch of a remote"):
            read_signers(project(mine), Environment(name="p", signers_from=f"{branch}:signers"))


def recorded(folder: Path, signed: Signed, approval: e.Approval | None, operator: str = ZOE) -> Verdict:
    """A session that ran the plan, with an approval beside its journal."""
    made = e.PlanMade(hash=COVERS.hash, target=TARGET, protected=True, scripts=(), approval=approval)
    begun = opening(project="shop", environment="production", ticket="CHG-1", operator=by(operator))
    with closing(Journal.create(folder, Clock())) as journal:
        for event in (begun, made, e.SessionEnded(outcome="go", exit_code=0)):
            journal.append(event, sync=False)
    keep(folder, [signed])
    return verify(folder / NAME)


def test_an_auditor_is_told_what_an_approval_proves_of_the_plan_that_was_run(desk: Desk, tmp_path: Path) -> None:
    good = desk.signed(plan())
    approval = accepted([good], desk.case(), desk.source, 1)
    signers, other_one = desk.source.signers, desk.signed(plan(EDITED))
    forged = desk.signed(plan(), EVE)
    claimed = approval.model_copy(
        update={"approvers": tuple(a.model_copy(update={"sha256": sha256(other_one.text).hexdigest()})
                                   for a in approval.approvers)}
    )  # fmt: skip
    for number, (signed, named, operator, words) in enumerate((
        (good, approval, ZOE, f"approval of approvals/1-approval.json: signed by {ANA}, key "),
        (forged, approval, ZOE, "proves nothing: the journal names no such approval"),
        (desk.signed(plan(), ZOE), approval, ZOE, f"proves nothing: it is in the name of {ANA}, and {ZOE} signed it"),
        (good, approval, ANA, f"proves nothing: it is by {ANA}, who ran the session"),
        (good, None, ZOE, "proves nothing: the journal names no such approval"),
        (other_one, claimed, ZOE, "proves nothing: it is of another plan than the one that was run"),
    )):  # fmt: skip
        folder = tmp_path / str(number)
        (paper,) = judge_papers(folder, recorded(folder, signed, named, operator), signers)
        assert words in paper.words
        assert paper.refused or paper.words.endswith("who says: after the\nbackup")
    file = tmp_path / "0" / "approvals" / "1-approval.json"
    file.unlink()
    os.mkfifo(file)
    (paper,) = judge_papers(tmp_path / "0", verify(tmp_path / "0" / NAME), signers)
    assert "is not a file" in paper.refused
    told = CliRunner().invoke(verify_transcript, [str(tmp_path / "5")])
    assert told.exit_code == 1 and "1-approval.json proves nothing" in told.stdout
