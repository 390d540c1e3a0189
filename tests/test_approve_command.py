"""`gonogo approve`: the plan is computed again in the approver's checkout, and signed only if nothing differs."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from fix_command import Gonogo, Said, SmallProject
from fix_keys import Key, public

from runbooks.approvals.plan_document import GivenAnswers, PlanDocument
from runbooks.journal import NAME, read
from runbooks.session import events as e
from runbooks.signing.record import Unsigned, said_by
from tui.commands.plan_printed import answers_lines

ANA, BEN = "ana@example.org", "ben@example.org"
DROP = "20260102000000_drop"
READ = "y\ny\n"
"""That both scripts were read."""


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def publish(folder: Path) -> None:
    """Commit all, and let `origin/main` stand there."""
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "as it is")
    git(folder, "fetch", "-q", "origin")


@pytest.fixture
def shared(small: SmallProject, keys: Key) -> SmallProject:
    """The small project in git, with a file of signers on its protected branch, and a script that loses data."""
    small.migration(DROP, "DROP TABLE IF EXISTS old;\n")
    small.toml(signers_from="origin/main:signers")
    names = ((ANA, keys("ana")), (BEN, keys("ben")))
    (small.folder / "signers").write_text("".join(f"{name} {public(key)}\n" for name, key in names))
    git(small.folder, "init", "-q", "-b", "main")
    git(small.folder, "remote", "add", "origin", str(small.folder))
    publish(small.folder)
    return small


def checkout(shared: SmallProject, where: Path) -> Path:
    """Another engineer's own."""
    git(where.parent, "clone", "-q", str(shared.folder), str(where))
    return where


def approve(gonogo: Gonogo, folder: Path, *arguments: str, typed: str = "") -> Said:
    """Run `gonogo approve` in a checkout, without a database; `typed` is what the approver types."""
    return gonogo("approve", *arguments, cwd=folder, typed=typed)


def planned(gonogo: Gonogo, shared: SmallProject, key: Path, operator: str = BEN, *more: str) -> Path:
    """A plan, signed by whoever asks for it."""
    path = shared.folder.parent / "plan.json"
    said = gonogo("plan", "here", "--ticket", "CHG-1", "--operator", operator, "--sign", str(key), "-o", str(path),
                  *more, cwd=shared.folder, env=shared.env)  # fmt: skip
    assert said.code == 0, said.err
    return path


def test_a_plan_is_approved_only_as_the_approvers_checkout_has_it(
    gonogo: Gonogo, shared: SmallProject, keys: Key, tmp_path: Path
) -> None:
    plan, mine = planned(gonogo, shared, keys("ben")), checkout(shared, tmp_path / "mine")
    key = ("--key", str(keys("ana")))
    unread = approve(gonogo, mine, str(plan), *key, typed="y\nn\n")
    assert (unread.code, f"{DROP} was not read" in unread.err) == (1, True), unread.err
    assert "\nDROP TABLE IF EXISTS old;\n" in unread.out
    short = approve(gonogo, mine, str(plan), *key, typed=f"{READ}n\n")
    assert (short.code, "table-drop in 20260102000000_drop is not meant" in short.err) == (1, True), short.err
    word = short.out[5:13]
    wrong = approve(gonogo, mine, str(plan), *key, typed=f"{READ}y\n12345678\n")
    assert (wrong.code, "not how the plan's hash begins" in wrong.err) == (1, True), wrong.err
    own = approve(gonogo, mine, str(plan), "--key", str(keys("ben")), typed=f"{READ}y\n{word}\n")
    assert (own.code, "ben@example.org asked for this plan" in own.err) == (1, True), own.err
    stranger = approve(gonogo, mine, str(plan), "--key", str(keys("eve")))
    assert (stranger.code, "does not name this key" in stranger.err) == (1, True), stranger.err
    signature = tmp_path / "plan.json.sig"
    signature.rename(tmp_path / "elsewhere")
    unsigned = approve(gonogo, mine, str(plan), *key)
    assert (unsigned.code, "ben@example.org did not sign this plan" in unsigned.err) == (1, True), unsigned.err
    (tmp_path / "elsewhere").rename(signature)
    foreign = approve(gonogo, mine, str(signature), *key)
    assert (foreign.code, "neither a plan, whose name ends with .json" in foreign.err) == (2, True), foreign.err
    script = mine / "migrations" / DROP / "migration.sql"
    text = script.read_text()
    script.write_text("DROP TABLE IF EXISTS older;\n")
    (mine / "small.md").write_text((mine / "small.md").read_text() + "\n")
    edited = approve(gonogo, mine, str(plan), *key, typed=f"{READ}y\n{word}\n")
    assert (edited.code, "✘ 20260102000000_drop: SHA-256 " in edited.out, "✘ the runbook: " in edited.out) == (1, 1, 1)
    assert not list(tmp_path.glob("*approval*"))
    script.write_text(text)
    git(mine, "checkout", "-q", "small.md")
    good = approve(gonogo, mine, str(plan), *key, typed=f"{READ}y\n{word}\n")
    assert good.code == 0, good.err
    assert {p.name for p in tmp_path.glob("*approval*")} == {f"plan.approval-{ANA}.json{end}" for end in ("", ".sig")}


def older_copy(session: Path) -> None:
    """Leave of a session what it was just before the approval was used up."""
    journal = session / NAME
    lines = journal.read_bytes().splitlines(keepends=True)
    cut = next(n for n, line in enumerate(lines) if b"about to be used up" in line)
    journal.write_bytes(b"".join(lines[:cut]))


def test_an_approved_plan_runs_unattended_on_a_protected_target_and_only_once(
    gonogo: Gonogo, shared: SmallProject, keys: Key, tmp_path: Path
) -> None:
    shared.toml(protected=True, signers_from="origin/main:signers")
    shared.answers(answers={"opening/environment": "here"})
    publish(shared.folder)
    with psycopg.connect(shared.url, autocommit=True) as target:
        plan = planned(gonogo, shared, keys("ben"), BEN, "--answers", "answers.toml")
        mine = checkout(shared, tmp_path / "mine")
        said = approve(
            gonogo, mine, str(plan), "--key", str(keys("ana")), typed=f"{READ}y\n{PlanDocument.read(plan).short}\n"
        )
        assert said.code == 0, said.err
        assert "  calls GO for backup, preflight, migrate, verify, deploy, smoke\n" in said.out
        approval = tmp_path / f"plan.approval-{ANA}.json"

        def run(operator: str, *lane: str) -> Said:
            key = keys(operator.partition("@")[0])
            who = ("--operator", operator, "--sign", str(key), "--headless", "--answers", "answers.toml")
            return gonogo("run", "here", *who, *lane, cwd=shared.folder, env=shared.env)

        assert (run(BEN, "--ticket", "CHG-1").code, run(BEN, "--ticket", "C", "--emergency", "fire").code) == (2, 2)
        other = run(BEN, "--approval", str(approval), "--ticket", "CHG-2")
        assert (other.code, "for the ticket CHG-1, and this is CHG-2" in other.err) == (2, True), other.err
        own = run(ANA, "--approval", str(approval))
        assert (own.code, f"by {ANA}, who also operates" in own.err) == (1, True), own.err
        with (shared.folder / "answers.toml").open("a") as answers:
            approved = answers.tell()
            answers.write('[waivers]\n"ledger" = "never mind"\n')
        waiving = run(BEN, "--approval", str(approval))
        assert (waiving.code, "approves a run by answers.toml, SHA-256 " in waiving.err) == (2, True), waiving.err
        os.truncate(shared.folder / "answers.toml", approved)
        good = run(BEN, "--approval", str(approval))
        assert good.code == 0, good.err
        records = list(read(good.session / NAME))
        (made,) = [r.event for r in records if isinstance(r.event, e.PlanMade)]
        assert made.approval and [one.principal for one in made.approval.approvers] == [ANA]
        names = [r.event.name for r in records if isinstance(r.event, e.ArtefactKept)]
        assert names.count("approval") == names.count("approval's signature") == names.count("signers") == 1
        spent = next(
            n for n, r in enumerate(records) if isinstance(r.event, e.StepProgress) and "spent" in r.event.data
        )
        first = next(n for n, r in enumerate(records) if isinstance(r.event, e.ArtefactKept) and r.event.step == "dump")
        assert spent < first  # before the dump, so that restoring it brings nothing back
        (row,) = target.execute("SELECT number, session, operator, approvers FROM gonogo.approvals").fetchall()
        assert row == (made.approval.number, good.session.name, BEN, ANA)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            target.execute("DELETE FROM gonogo.approvals")
        # As if it was rolled back: the plan is to the byte what was approved.
        target.execute('DROP TABLE notes, "_prisma_migrations"')
        older_copy(good.session)
        who = ("--operator", BEN, "--sign", str(keys("ben")), "--headless", "--answers", "answers.toml")
        copied = gonogo("resume", good.session.name, *who, cwd=shared.folder, env=shared.env)
        assert (copied.code, "an older copy, or was cut" in copied.err) == (1, True), copied.out + copied.err
        again = run(BEN, "--approval", str(approval))
        assert (again.code, f"used up by {BEN} in the session {good.session.name}" in again.err) == (1, True), again.err


def test_an_emergency_goes_without_a_second_person_and_not_without_a_key_unless_that_is_said(
    gonogo: Gonogo, shared: SmallProject
) -> None:
    def run(*more: str) -> Said:
        lane = ("--ticket", "CHG-1", "--emergency", "fire", *more)
        return gonogo("run", "here", *lane, "--headless", cwd=shared.folder, env=shared.env)

    asked = run()
    assert (asked.code, "in an emergency too" in asked.err) == (2, True), asked.err
    without = run("--unsigned")
    assert (without.code, "names no command that does" in without.err) == (1, True), without.err
    (unsigned,) = [one for r in read(without.session / NAME) if isinstance(one := said_by(r.event), Unsigned)]
    assert (unsigned.record, "no key was at hand" in unsigned.reason) == (0, True)
    idle = gonogo("run", "here", "--ticket", "CHG-1", "--unsigned", cwd=shared.folder, env=shared.env)
    assert (idle.code, "--unsigned is for an emergency" in idle.err) == (2, True), idle.err


def test_whoever_approves_reads_all_that_the_answers_decide() -> None:
    text = "[undo]\nstop-writers = true\nother = false\n[go]\nbackup = true\n"
    lines = list(answers_lines(GivenAnswers(file="night.toml", text=text)))
    assert "  undoes stop-writers before it ends early" in lines and not any("other" in line for line in lines)
