"""The evidence pack: what goes in and what never does; and both verifiers say the same of it."""

import hashlib
import json
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
import rfc8785
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrations.problem import Problem, Unavailable
from runbooks.approvals.approval_document import ApprovalDocument
from runbooks.approvals.kept import keep_signers
from runbooks.approvals.owed_review import NAMESPACE, ReviewDocument
from runbooks.approvals.plan_document import canonical
from runbooks.journal import NAME, Journal, read
from runbooks.journal.named import Named
from runbooks.journal.records import stamp
from runbooks.pack import verify as plain
from runbooks.pack.contents import Contents, LeftOut, _papers, choose
from runbooks.pack.evidence import evidence
from runbooks.pack.make import pack
from runbooks.pack.page import page_parts
from runbooks.pack.unpack import unpacked
from runbooks.report.html import Beside, KeptScripts, Origin, page_beside
from runbooks.report.markdown import markdown
from runbooks.session import events as e
from runbooks.signing import APPROVAL, HEAD, sign
from runbooks.signing.kept import keep
from runbooks.signing.signed_head import SignedHead
from tests.chromium import browser
from tests.fix_disk import full_disk
from tests.fix_keys import public
from tests.fix_soak import needs
from tests.runbooks.approvals.test_approvals import COVERS, EDITED, by, plan
from tests.runbooks.conftest import SHA, Clock, the_plan, walk
from tests.runbooks.report.test_transcript_browser import CONTRAST
from tests.runbooks.stdlib_journal import forged
from tests.runbooks.transcript_records import hidden, hostile, texts
from tui.commands.export import export_transcript
from tui.commands.verify import verify_transcript

SQL = b"-- why\nALTER TABLE orders ADD c int DEFAULT 7;\n"
SCHEMA = b'{"tables":["orders"]}'
DUMP = b"PGDMP\x01rows of everybody"
NAMED = "20260131T020304Z-production-7f3a"
REVIEWER = "cleo@example.org"
QUESTIONS = ["requested", "approved", "tested", "ran", "when and where", "verified", "and why", "check this"]


def artefact(name: str, path: str, data: bytes) -> e.ArtefactKept:
    digest = hashlib.sha256(data).hexdigest()
    return e.ArtefactKept(step="dump", attempt=1, name=name, path=path, sha256=digest, size=len(data))


def session(folder: Path) -> Path:
    """A session of every kind of event, with a script, a schema, and a dump beside its journal."""
    script = (
        the_plan()
        .scripts[0]
        .model_copy(update={"sha256": hashlib.sha256(SQL).hexdigest(), "size": len(SQL), "verify": None})
    )
    events = walk()
    events[2] = events[2].model_copy(update={"scripts": (script,)})
    sent = {"event": "ScriptStarted", "name": "20260301_drop", "checksum": script.sha256}
    events[11:11] = [
        e.StepProgress(step="apply", attempt=1, data=sent),
        e.StepProgress(step="apply", attempt=1, data={"event": "ScriptEnded", "name": "20260301_drop"}),
    ]
    kept = [artefact("state", "artefacts/9-state.json", SCHEMA), artefact("dump", "artefacts/10-x.dump", DUMP)]
    events[10:10] = [*kept, artefact("state", "artefacts/11-state.json", DUMP)]
    journal = Journal.create(folder, Clock())
    for event in events:
        journal.append(event, sync=False)
    journal.close()
    for name, data in {
        f"scripts/{script.sha256}.sql": SQL,
        "artefacts/9-state.json": SCHEMA,
        "artefacts/10-x.dump": DUMP,
        "artefacts/11-state.json": DUMP,
        "runner.log": b"Traceback",
        "artefacts/12-core": DUMP,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory, keys) -> Path:
    """Signed by Ana at its end."""
    made = session(tmp_path_factory.mktemp("pack") / NAMED)
    last = json.loads((made / NAME).read_bytes().splitlines()[-1])
    head = SignedHead.of(walk()[0], last["seq"], last["hash"], "end", stamp(datetime.now(UTC)))
    keep(made, head, sign(head.text(), HEAD, keys("ana")))
    return made


@pytest.fixture(scope="module")
def whole(folder) -> Path:
    return pack(folder / NAME, folder.parent / "whole.zip").path


@pytest.fixture(scope="module")
def signers(keys, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("signers") / "signers"
    path.write_text(f"ana@example.org {public(keys('ana'))}\n")
    return path


def files(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as source:
        return {name.partition("/")[2]: source.read(name) for name in source.namelist()}


def repacked(kept: dict[str, bytes], path: Path) -> Path:
    """Another archive of these files."""
    with zipfile.ZipFile(path, "w") as target:
        for name, data in kept.items():
            target.writestr(f"{NAMED}/{name}", data)
    return path


def listed(kept: dict[str, bytes]) -> dict[str, bytes]:
    """With a manifest that is right for what is there: what a forger would do."""
    manifest = json.loads(kept["manifest.json"])
    manifest["files"] = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(kept.items())
        if name != "manifest.json"
    ]
    return {**kept, "manifest.json": rfc8785.dumps(manifest)}


def ours(archive: Path, *given: str) -> tuple[int, str]:
    result = CliRunner().invoke(verify_transcript, [str(archive), *given])
    if isinstance(result.exception, Problem):
        return result.exception.exit_code, ""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output.splitlines()[-1].split(": ")[1]


def theirs(archive: Path, capsys, *given: str) -> tuple[int, str]:
    code = plain.main([str(archive), *given])
    last = capsys.readouterr().out.splitlines()[-1]
    return code, last.split(": ")[1] if last.startswith("grade") else ""


def test_a_pack_holds_what_is_named_and_no_dump_under_any_name(whole) -> None:
    kept = files(whole)
    assert not [name for name, data in kept.items() if b"rows of everybody" in data]
    left = {one["name"]: one["why"] for one in json.loads(kept["manifest.json"])["left_out"]}
    assert left == {
        "/dumps/x.dump": "dump",
        "artefacts/10-x.dump": "dump",
        "artefacts/11-state.json": "dump",
        "artefacts/12-core": "not known",
        "journal.torn-1": "absent",
        "runbook.md": "absent",
        "runner.log": "not known",
        f"scripts/{'cd' * 32}.sql": "absent",
    }
    assert kept["artefacts/9-state.json"] == SCHEMA and SQL in kept.values()
    assert {"transcript.html", "transcript.md", "transcript.txt", "transcript.cast", "verify.py"} < kept.keys()
    page = kept["index.html"].decode()
    places = [page.index(f"{words}</h2>") for words in QUESTIONS]
    assert places == sorted(places)
    assert "no approval by a second engineer was asked for" in page and "applied <span" in page
    anchors = set(re.findall(r'href="transcript.html#(r\d+)"', page))
    assert {"r0", "r2", "r4"} <= anchors
    assert not [anchor for anchor in anchors if f'id="{anchor}"'.encode() not in kept["transcript.html"]]


def test_a_second_file_of_signers_is_no_stranger(tmp_path: Path) -> None:
    kept, left = {keep_signers(tmp_path, text).name for text in (b"ana", b"ana and ben")}, list[LeftOut]()
    assert {Path(name).name for name, _ in _papers(tmp_path, left)} == kept and not left


def test_the_same_folder_gives_the_same_bytes_that_only_its_owner_reads(folder, whole, tmp_path) -> None:
    again = pack(folder / NAME, tmp_path / "again.zip").path
    assert again.read_bytes() == whole.read_bytes() and stat.S_IMODE(again.stat().st_mode) == 0o600
    with zipfile.ZipFile(again) as source:
        assert {(one.date_time, one.external_attr >> 16) for one in source.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), stat.S_IFREG | 0o600)
        }
    with pytest.raises(Problem, match="there already"):
        pack(folder / NAME, again)
    pack(folder / NAME, again, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["again.zip"]


def test_both_verify_it_and_by_whom_it_is_signed(whole, signers, capsys, tmp_path) -> None:
    head = json.loads(files(whole)[NAME].splitlines()[-1])["hash"]
    for options, grade in (
        ([], "consistent"),
        (["--head", f"29:{head}"], "anchored"),
        (["--signers", str(signers)], "signed"),
        (["--head", "0" * 64], "broken"),
    ):
        expected = (int(grade == "broken"), grade)
        assert ours(whole, *options) == theirs(whole, capsys, *options) == expected
    with zipfile.ZipFile(whole) as source:
        source.extractall(tmp_path)
    command = [sys.executable, "-I", str(tmp_path / NAMED / "verify.py"), "--head", head]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (run.returncode, "grade: anchored" in run.stdout) == (0, True), run.stdout
    (tmp_path / NAMED / "note.txt").write_text("mine")
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (run.returncode, "not of the pack: note.txt" in run.stdout) == (0, True), run.stdout
    (tmp_path / NAMED / "scripts" / "more.sql").write_text("")
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (run.returncode, "wrong: scripts/more.sql is here" in run.stdout) == (1, True), run.stdout


TAMPERED = {
    "a file less": lambda kept: kept.pop("artefacts/9-state.json"),
    "a file more": lambda kept: kept.update({"note.txt": b"all is well"}),
    "no manifest": lambda kept: kept.pop("manifest.json"),
    "no journal": lambda kept: kept.pop(NAME),
    "no text that was signed": lambda kept: kept.pop(next(n for n in kept if n.endswith(".txt") and "sig" in n)),
    "another script": lambda kept: kept.update({next(n for n in kept if "scripts/" in n): b"DROP TABLE orders;"}),
    "another page": lambda kept: kept.update({"index.html": kept["index.html"].replace(b"Nobody", b"Anyone")}),
    "a manifest in another form": lambda kept: kept.update({"manifest.json": kept["manifest.json"] + b"\n"}),
    "lines that were swapped": lambda kept: kept.update({NAME: swapped(kept[NAME])}),
    "a tail that was cut": lambda kept: kept.update({NAME: b"".join(kept[NAME].splitlines(True)[:-2])}),
    "a chain made anew": lambda kept: kept.update({NAME: rebuilt(kept[NAME])}),
}


def swapped(journal: bytes) -> bytes:
    lines = journal.splitlines(keepends=True)
    return b"".join([*lines[:4], lines[5], lines[4], *lines[6:]])


def rebuilt(journal: bytes) -> bytes:
    raws = [json.loads(line) for line in journal.splitlines()]
    raws[0]["data"]["ticket"] = "CHG-1"
    return forged(raws)


UNSEEN = {"a file less", "a file more", "another page"}
"""With a manifest that says so too, it takes gonogo to make the pages again."""


@pytest.mark.parametrize("how", TAMPERED)
def test_both_refuse_what_was_tampered_with(whole, tmp_path, signers, capsys, how) -> None:
    kept = files(whole)
    TAMPERED[how](kept)
    archive = repacked(kept, tmp_path / "pack.zip")
    found = ours(archive, "--signers", str(signers))
    assert found == theirs(archive, capsys, "--signers", str(signers)) and found[0] == 1


@pytest.mark.parametrize("how", sorted(TAMPERED.keys() - {"no manifest", "a manifest in another form"}))
def test_a_manifest_made_anew_hides_nothing_that_a_record_says(whole, tmp_path, signers, capsys, how) -> None:
    kept = files(whole)
    TAMPERED[how](kept)
    archive = repacked(listed(kept), tmp_path / "pack.zip")
    found = ours(archive, "--signers", str(signers))
    assert found[0] == 1
    assert found == theirs(archive, capsys, "--signers", str(signers)) or how in UNSEEN


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_both_say_the_same_of_any_changed_byte(whole, tmp_path, capsys, data) -> None:
    kept = files(whole)
    name = data.draw(st.sampled_from(sorted(kept.keys() - {"manifest.json"})))
    at = data.draw(st.integers(0, len(kept[name]) - 1))
    changed = bytes([kept[name][at] ^ data.draw(st.integers(1, 255))])
    kept[name] = kept[name][:at] + changed + kept[name][at + 1 :]
    archive = repacked(kept, tmp_path / "pack.zip")
    found = ours(archive)
    assert found == theirs(archive, capsys) and found[0] == 1


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_both_live_with_a_damaged_archive(whole, tmp_path, capsys, data) -> None:
    archive = bytearray(whole.read_bytes())
    begin = data.draw(st.sampled_from([0, archive.index(b"PK\x01\x02")]))
    at = data.draw(st.integers(begin, len(archive) - 1))
    archive[at] ^= data.draw(st.integers(1, 255))
    (tmp_path / "pack.zip").write_bytes(archive)
    assert ours(tmp_path / "pack.zip")[0] == theirs(tmp_path / "pack.zip", capsys)[0]


@pytest.mark.parametrize(
    "field", [{"session": "another"}, {"records": 3}, {"head": SHA}, {"grade": "signed"}, {"files": []}, {"more": 1}]
)
def test_both_refuse_a_manifest_of_another_journal(whole, tmp_path, capsys, field) -> None:
    kept = files(whole)
    kept["manifest.json"] = rfc8785.dumps({**json.loads(kept["manifest.json"]), **field})
    archive = repacked(kept, tmp_path / "pack.zip")
    assert ours(archive) == theirs(archive, capsys) == (1, "consistent")


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "C:x", "a/../../x", "a//b", ".", "x\n"])
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written(whole, tmp_path, capsys, name) -> None:
    archive = repacked({**files(whole), name: b"x"}, tmp_path / "pack.zip")
    assert ours(archive) == theirs(archive, capsys) == (1, "")
    assert [path.name for path in tmp_path.iterdir()] == ["pack.zip"]


def test_links_twins_and_what_claims_to_be_huge_are_refused(whole, tmp_path, capsys, monkeypatch) -> None:
    link = zipfile.ZipInfo(f"{NAMED}/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = shutil.copy(whole, tmp_path / "link.zip")
    with zipfile.ZipFile(archive, "a") as target:
        target.writestr(link, "/etc/passwd")
    assert ours(archive) == theirs(archive, capsys) == (1, "")
    monkeypatch.setattr("runbooks.pack.unpack.LARGEST", 1000)
    with pytest.raises(Problem, match="claims to hold"), unpacked(whole):
        pass


def test_a_log_is_left_out_as_what_it_is(folder) -> None:
    log = artefact("app.log", "artefacts/99-app.log", b"somebody bought something")
    found = evidence(read(folder / NAME))
    found.kept.append((99, log, ""))
    left = choose(folder, [Named(99, log.name, log.path, log.sha256, log.size)], found).left_out
    what = "app.log, from the environment's logs, kept in the session's folder; no data goes into a pack"
    assert [one.what for one in left if one.name == log.path] == [what]


def test_an_altered_file_is_left_out_and_told_and_a_broken_journal_is_packed(tmp_path, capsys) -> None:
    folder = session(tmp_path / NAMED)
    (folder / "artefacts/9-state.json").write_bytes(SCHEMA.replace(b"o", b"0"))
    altered = pack(folder / NAME, tmp_path / "altered.zip")
    assert b"t0bles" not in b"".join(files(altered.path).values()) and b"Altered" in files(altered.path)["index.html"]
    assert ours(altered.path) == theirs(altered.path, capsys) == (1, "consistent")
    journal = (folder / NAME).read_bytes()
    for damaged, held in ((journal.replace(b"wait for the batch", b"wait for the hatch"), 16), (b"x\n", 0)):
        (folder / NAME).write_bytes(damaged)
        broken = pack(folder / NAME, tmp_path / "broken.zip", overwrite=True)
        assert (broken.manifest.grade, broken.manifest.records > held - 1) == ("broken", True)
        assert files(broken.path)[NAME] == damaged and b"record is broken" in files(broken.path)["index.html"]
        assert ours(broken.path) == theirs(broken.path, capsys) == (1, "broken")


def test_a_full_disk_or_a_folder_that_is_not_there_is_told_and_leaves_nothing(folder, tmp_path) -> None:
    with pytest.raises(Unavailable, match="cannot be written: No such file"):
        pack(folder / NAME, tmp_path / "missing" / "a.zip")
    with full_disk(tmp_path / "tiny", "16k") as place:
        with pytest.raises(Unavailable, match="cannot be written: No space left"):
            pack(folder / NAME, place / "a.zip")
        assert not list(place.iterdir())


def reviewed(folder: Path, key: Path) -> Iterator[tuple[str, int]]:
    """Reviews with one key, each with the exit code that it is worth."""
    last = json.loads((folder / NAME).read_bytes().splitlines()[-1])["hash"]
    fields = {"gonogo": "0", "session": NAMED, "environment": "production", "ticket": "CHG-1", "reason": "fire",
              "review_by": "2026-02-04", "by": by(REVIEWER), "at": "2026-02-01T00:00:00Z"}  # fmt: skip
    for who, head, code in ((REVIEWER, last, 0), ("ben@example.org", last, 1), (REVIEWER, SHA, 1)):
        text = canonical(ReviewDocument.model_validate({**fields, "reviewer": who, "head": head}))
        (folder / "approvals/review.json").write_bytes(text)
        (folder / "approvals/review.json.sig").write_text(sign(text, NAMESPACE, key).armour)
        yield f"by {who} of {head}", code


def approved(folder: Path, key: Path) -> Iterator[tuple[str, int]]:
    """Approvals of the plan that was run, of another one, and one that the journal does not name."""
    events = [record.event for record in read(folder / NAME)]
    opened = next(event for event in events if isinstance(event, e.SessionOpened))
    of = {"project": opened.project, "environment": opened.environment, "ticket": opened.ticket}
    for what, covers, code in (("this", COVERS, 0), ("another", EDITED, 1), ("none", COVERS, 1)):
        document = ApprovalDocument(
            gonogo="0", plan=plan(covers, **of), approver=REVIEWER, by=by(REVIEWER), at="2026-01-31T11:30:00Z"
        )
        signature = sign(document.text, APPROVAL, key)
        approver = e.Approver(principal=REVIEWER, key=signature.fingerprint, at=document.at, file="a.json",
                              sha256=SHA if what == "none" else hashlib.sha256(document.text).hexdigest())  # fmt: skip
        approval = e.Approval(needed=1, number="d" * 32, document=SHA, expires_at="", requester="ben", signers="s",
                              signers_sha256=SHA, approvers=(approver,))  # fmt: skip
        (folder / NAME).unlink()
        with closing(Journal.create(folder, Clock())) as journal:
            for event in events:
                made = event.model_copy(update={"hash": COVERS.hash, "approval": approval})
                journal.append(made if isinstance(event, e.PlanMade) else event, sync=False)
        (folder / "approvals/1-a.json").write_bytes(document.text)
        (folder / "approvals/1-a.json.sig").write_text(signature.armour)
        yield what, code


@pytest.mark.parametrize("papers", [reviewed, approved])
def test_both_say_who_approved_what_and_refuse_what_proves_nothing_here(folder, tmp_path, keys, capsys, papers) -> None:
    place, names = shutil.copytree(folder, tmp_path / NAMED), tmp_path / "signers"
    shutil.rmtree(place / "signatures")
    (place / "approvals").mkdir()
    names.write_text(f"{REVIEWER} {public(keys('cleo'))}\n")
    for what, code in papers(place, keys("cleo")):
        archive = pack(place / NAME, tmp_path / "a.zip", overwrite=True).path
        found = ours(archive, "--signers", str(names))
        assert found == theirs(archive, capsys, "--signers", str(names)) == (code, "consistent"), what


@settings(deadline=None, max_examples=8)
@given(texts)
def test_no_text_from_outside_becomes_anything_else_on_the_page(text) -> None:
    read, page = told(text)
    assert not hidden(read) and HTMLTags(page).seen <= HTMLTags(told("plain")[1]).seen


def told(text: str) -> tuple[str, str]:
    """The page about records that say this everywhere, as Markdown and as HTML."""
    left = LeftOut(name=text, why="altered", what=text, record=3)
    parts = list(page_parts(evidence(hostile(text)), Contents({}, (left,)), "broken", SHA))
    beside = Beside("transcript.html", frozenset())
    page = page_beside(parts, Origin(text, 1, SHA), KeptScripts(Path("/")), beside)
    return "".join(markdown(parts)), "".join(page)


class HTMLTags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen = set[str]()
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.add(tag)


def test_the_command_says_what_is_left_out_and_how_the_verifier_is_known(folder, tmp_path) -> None:
    result = CliRunner().invoke(export_transcript, [str(folder), "--pack", "-o", str(tmp_path / "a.zip")])
    assert result.exit_code == 0, result.output
    verifier = hashlib.sha256(files(tmp_path / "a.zip")["verify.py"]).hexdigest()
    manifest = hashlib.sha256(files(tmp_path / "a.zip")["manifest.json"]).hexdigest()
    assert f"SHA-256 of its verify.py: {verifier}" in result.output
    assert f"SHA-256 of its manifest.json: {manifest}" in result.output
    assert "left out: /dumps/x.dump (dump)" in result.output
    again = CliRunner().invoke(export_transcript, [str(folder), "--pack", "-o", str(tmp_path / "a.zip")])
    assert (type(again.exception).__name__, "is there already" in str(again.exception)) == ("Misuse", True)


@pytest.mark.soak
def test_the_page_loads_nothing_and_is_read_in_light_and_dark_and_on_a_narrow_screen(whole, tmp_path) -> None:
    with zipfile.ZipFile(whole) as source:
        source.extractall(tmp_path)
    with browser(needs("chromium"), tmp_path / "profile") as page:
        page.open((tmp_path / NAMED / "index.html").as_uri())
        for scheme in ("light", "dark"):
            page.media(scheme=scheme)
            assert not [(ratio, text) for ratio, text in page.ask(CONTRAST) if ratio < 4.5]
        page.do("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=1, mobile=True)
        assert page.ask("document.documentElement.scrollWidth") <= 360
        heard = [one["method"] for one in page.heard]
    assert heard.count("Network.requestWillBeSent") == 1
    assert not {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"} & set(heard)
