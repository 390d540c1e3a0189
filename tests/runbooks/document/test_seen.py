"""Documents that a runbook points to: inside the project, read once, kept as they were, and held against the record."""

import hashlib
import re
from pathlib import Path

import pytest
from fix_command import Gonogo, SmallProject

from runbooks.document import read_runbook
from runbooks.document.seen import read_beside
from runbooks.journal import NAME, read
from runbooks.journal.named import compare, named_by
from runbooks.pack import verify
from runbooks.session.events import SessionOpened
from runbooks.session.runbook import PHASES, Document
from runbooks.settings.faults import DocumentError
from runbooks.steps import catalogue
from tests.runbooks.conftest import book, opening

HEAD = '```toml runbook\nsee = ["docs/a.md", "docs/b.md"]\n```\n\n'
BACKUP = (
    '```sh run id="copy" see="docs/c.md"\ntrue\n```\n\n'
    '```toml step\nuses = "target.inspect"\nsee = "docs/a.md"\n```\n\n'
    "- [ ] Kept <!-- id=kept see=docs/d.md -->\n\n"
)
BACK = '## Rollback\n\n### Back\n\n```toml option\ncosts = "a"\nloses = "b"\nsee = "docs/e.md"\n```\n'


def text_of(head: str = HEAD, backup: str = BACKUP) -> str:
    return head + "".join(f"## {name.capitalize()}\n\n{backup if name == 'backup' else ''}" for name in PHASES) + BACK


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "docs").mkdir(parents=True)
    for name in "abcde":
        (folder / "docs" / f"{name}.md").write_text(f"# {name}\n\nhunter2-hunter2\n")
    (tmp_path / "outside.md").write_text("not ours")
    return folder


def test_each_is_read_once_and_kept_without_secrets(project: Path) -> None:
    read_book = read_runbook(text_of(), catalogue=catalogue())
    assert [one.path for one in read_book.documents] == [f"docs/{name}.md" for name in "abcde"]
    assert [text_of().split("\n")[one.line - 1][:6] for one in read_book.documents[2:]] == [
        "```sh ",
        "- [ ] ",
        "```tom",
    ]
    book_read, seen = read_beside(
        text_of(), project, catalogue=catalogue(), redact=lambda text: text.replace("hunter2-hunter2", "«redacted»")
    )
    assert book_read == read_book
    assert [one.document.path for one in seen] == [f"docs/{name}.md" for name in "abcde"]
    first = seen[0]
    assert first.data == "# a\n\n«redacted»\n".encode()
    assert (first.document.sha256, first.document.size) == (hashlib.sha256(first.data).hexdigest(), len(first.data))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("docs/none.md", "names no file"),
        ("docs", "names no file"),
        ("../outside.md", "leads out of the project"),
        ("link.md", "leads out of the project"),
        ("binary.md", "a byte here is not UTF-8"),
        ("login.md", "a password stands in an address"),
    ],
)
def test_only_text_of_the_project_is_pointed_to(project: Path, path: str, fault: str) -> None:
    (project / "link.md").symlink_to(project.parent / "outside.md")
    (project / "binary.md").write_bytes(b"a\xff")
    (project / "login.md").write_text("see postgres://ana:hunter2@db/x")
    text = text_of(head="", backup=f"- [ ] Kept <!-- id=kept see={path} -->\n\n").replace('see = "docs/e.md"\n', "")
    with pytest.raises(DocumentError, match=re.escape(fault)) as caught:
        read_beside(text, project, catalogue=catalogue())
    assert caught.value.faults[0].line == 3


def test_an_absolute_path_is_no_path_of_the_project(project: Path) -> None:
    inside = str(project / "docs" / "a.md")
    with pytest.raises(DocumentError, match="leads out of the project"):
        read_beside(text_of(head=f'```toml runbook\nsee = "{inside}"\n```\n\n'), project, catalogue=catalogue())


def test_a_missing_one_is_told_with_the_other_faults(project: Path) -> None:
    text = text_of().replace("docs/d.md", "docs/none.md").replace("target.inspect", "target.inspekt")
    with pytest.raises(DocumentError) as caught:
        read_beside(text, project, name="x.md", catalogue=catalogue())
    told = [fault.what for fault in caught.value.faults]
    assert '`see = "docs/none.md"` names no file' in told and any("target.inspekt" in what for what in told), told


def test_the_record_names_it_and_so_does_the_verifier_of_a_pack() -> None:
    one = Document(path="docs/a.md", sha256="cd" * 32, size=3)
    event = opening(runbook=book().model_copy(update={"documents": (one, Document(path="older"))}))
    named = verify.named_by(event.kind, event.model_dump(mode="json"))
    assert named == [("runbook.md", "ab" * 32), (f"documents/{'cd' * 32}.md", "cd" * 32)]


def test_a_session_keeps_what_it_shows(gonogo: Gonogo, small: SmallProject) -> None:
    file = small.folder / "small.md"
    (small.folder / "backups.md").write_text("# Where backups are kept\n")
    file.write_text(file.read_text().replace('name = "small"', 'name = "small"\nsee = "backups.md"'))
    assert "1 document beside it" in gonogo("runbook", "check", "small.md", cwd=small.folder).out
    done = gonogo("run", "here", "--ticket", "CHG-1", "--headless", cwd=small.folder, env=small.env)
    first = next(read(done.session / NAME))
    assert isinstance(first.event, SessionOpened)
    (named,) = (one for one in named_by(first) if one.name == "backups.md")
    assert (done.session / named.path).read_text() == "# Where backups are kept\n"
    assert [one.state for one in compare(done.session, [named])] == ["same"]
    (small.folder / "backups.md").unlink()
    gone = gonogo("runbook", "check", "small.md", cwd=small.folder)
    assert gone.code == 2 and "names no file" in gone.err
