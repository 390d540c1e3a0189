"""Squawk's findings beside ours. Its program is an extra, so without it these are passed over."""

from pathlib import Path

import pytest

from runbooks.check import Asked, Check
from runbooks.check.report import More
from runbooks.check.squawk import find, squawk
from tests.runbooks.clones import NOW, Clone

NEW = "20250101000000_new"

pytestmark = pytest.mark.skipif(find() is None, reason="Squawk is not installed: pip install 'gonogo[squawk]'")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def opinion(clone: Clone) -> More:
    look = Check(Asked(now=NOW, environ={}, folder=clone.folder))
    return squawk(look.chosen, look.report())


def told(more: More) -> list[tuple[str, int, int, str]]:
    return [(r.code, r.finding.line, r.finding.statement, r.finding.severity) for r in more.remarks]


def test_its_findings_are_notes_with_our_lines(clone: Clone) -> None:
    clone.script(NEW, 'SELECT 1;\n\nALTER TABLE "Üser"\n  ADD COLUMN "ü" int,\n  ADD COLUMN x char(3);\n')
    assert told(opinion(clone)) == [("squawk:ban-char-field", 5, 1, "note")]


def test_what_we_said_already_and_taste_are_left_out(clone: Clone) -> None:
    clone.script(NEW, 'CREATE INDEX i ON "User" (id);\nALTER TABLE "User" DROP COLUMN a, ADD COLUMN b varchar(9);\n')
    assert told(opinion(clone)) == []


def test_a_file_that_it_cannot_read_silences_no_other(clone: Clone) -> None:
    clone.script("20250101000000_a", "ALTER TABLE x ADD COLUMN c char(3);\n")
    clone.script("20250102000000_b", "ALTER TABEL x;\n")
    clone.script("20250103000000_c", b"ALTER TABLE x ADD COLUMN c char(3); -- \xe9\n")
    clone.script("20250104000000_d", "ALTER TABLE x ADD COLUMN d char(3);\n".encode("utf-16"))
    clone.script("20250105000000_[e]*", "ALTER TABLE x ADD COLUMN e char(3);\n")
    more = opinion(clone)
    assert {remark.path.parent.name for remark in more.remarks} == {"20250101000000_a", "20250105000000_[e]*"}
    assert more.not_checked == ("20250102000000_b, by Squawk, which cannot read it",)


def test_a_batch_that_fails_is_asked_file_by_file(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    from migrations.folder import Migration

    clone.script("20250101000000_a", "ALTER TABLE x ADD COLUMN c char(3);\n")
    clone.script("20250103000000_c", b"ALTER TABLE x ADD COLUMN c char(3); -- \xe9\n")
    monkeypatch.setattr(Migration, "problem", None)
    more = opinion(clone)
    assert len(more.remarks) == 1 and more.not_checked == ("20250103000000_c, by Squawk, which cannot read it",)
