"""Scripts from the disk: only the bytes that were recorded, or words that say what else."""

import hashlib
from pathlib import Path

import pytest

from runbooks.session import events as e
from tests.tui import plans
from tests.tui import recorded as r
from tui.script_files import WrongBytes, read_applied, read_pending

NAME = "20251001080000_init"
TEXT = "CREATE TABLE t (\r\n  id int\r\n);\r\n"


def test_the_bytes_are_hashed_before_they_are_shown(tmp_path: Path) -> None:
    plans.keep(tmp_path)
    script = plans.script(plans.TIER)
    assert read_pending(tmp_path, script).text == plans.TEXTS[plans.TIER]
    (tmp_path / "scripts" / f"{script.sha256}.sql").write_text(plans.TEXTS[plans.TIER] + " ")
    with pytest.raises(WrongBytes, match="not the bytes of the plan"):
        read_pending(tmp_path, script)


def test_a_script_that_is_not_utf_8_is_shown_by_the_hash_that_the_plan_has_of_it(tmp_path: Path) -> None:
    data = b"SELECT 'caf\xe9';\n"
    sha256 = hashlib.sha256(data.decode("utf-8", "replace").encode()).hexdigest()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / f"{sha256}.sql").write_bytes(data)
    script = r.script(NAME, "x").model_copy(update={"sha256": sha256})
    assert read_pending(tmp_path, script).text == "SELECT 'caf\ufffd';\n"


def test_a_migration_without_a_file_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(WrongBytes, match="no migration"):
        read_pending(tmp_path, r.script(NAME, "x").model_copy(update={"sha256": ""}))


@pytest.mark.parametrize("recorded", [TEXT, TEXT.replace("\r\n", "\n")], ids=["as it is", "with other line ends"])
def test_what_is_applied_is_held_against_the_ledger(tmp_path: Path, recorded: str) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "migration.sql").write_bytes(TEXT.encode())
    applied = e.Applied(migration=NAME, sha256=hashlib.sha256(recorded.encode()).hexdigest())
    assert read_applied(tmp_path, applied).edited == ""
    (folder / "migration.sql").write_bytes(TEXT.encode() + b"-- later")
    edited = read_applied(tmp_path, applied)
    assert edited.text.endswith("-- later") and "edited since it was applied" in edited.edited
    (folder / "migration.sql").unlink()
    with pytest.raises(WrongBytes, match="does not have this script"):
        read_applied(tmp_path, applied)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../20251001080000_init", "a\0b"])
def test_a_name_from_the_ledger_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "migration.sql").write_text("secret")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "migration.sql").write_text("secret")
    with pytest.raises(WrongBytes, match="not that of a folder"):
        read_applied(tmp_path / "a", e.Applied(migration=name, sha256="00"))
