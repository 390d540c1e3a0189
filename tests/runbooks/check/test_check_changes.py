"""Scripts held against git: what is new, edited, gone, renamed, too early, or in no commit."""

import subprocess
from pathlib import Path

import pytest

from migrations.problem import Misuse
from tests.runbooks.clones import INIT, Clone, said

NEW = "20250101000000_new"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def names(report: object) -> list[str]:
    return [script.name for script in report.scripts]  # type: ignore[attr-defined]


def test_nothing_changed_means_nothing_to_judge(clone: Clone) -> None:
    report = clone.check()
    assert (names(report), report.there, said(report), report.not_checked) == ([], 1, {}, ())
    assert report.base is not None and report.base.ref == "main"


def test_only_what_is_new_or_changed_is_judged_unless_all_is_asked_for(clone: Clone) -> None:
    clone.script(NEW, 'DROP TABLE "User";\n')
    assert names(clone.check()) == [NEW]
    assert names(clone.check(everything=True)) == [INIT, NEW]
    assert names(clone.check(clone.folder)) == [INIT, NEW]
    assert names(clone.check(clone.folder, ref="main")) == [NEW]
    assert names(clone.check(clone.folder / INIT / "migration.sql")) == ["migration.sql"]


def test_a_branch_is_held_against_where_it_left_main(clone: Clone) -> None:
    clone.git("switch", "--quiet", "--create", "work")
    clone.script(NEW)
    clone.commit()
    clone.git("switch", "--quiet", "main")
    clone.script("20250201000000_meanwhile")
    clone.commit()
    clone.git("switch", "--quiet", "work")
    report = clone.check()
    assert names(report) == [NEW] and said(report) == {}


def test_an_edited_migration_is_a_stop_at_the_line_that_differs(clone: Clone) -> None:
    clone.script(NEW, "SELECT 1;\nSELECT 2;\n")
    clone.commit()
    clone.script(NEW, "SELECT 1;\nSELECT 3;\n")
    report = clone.check()
    assert list(said(report)) == ["migration-edited"]
    assert said(report)["migration-edited"][0].startswith(f"{NEW}/migration.sql:2: it is not as it was in main (")
    assert report.fails("stop")


def test_other_line_ends_are_no_edit(clone: Clone) -> None:
    clone.script(INIT, 'CREATE TABLE "User" (id int);\r\n')
    assert said(clone.check()) == {}


def test_a_migration_that_is_gone_or_renamed(clone: Clone) -> None:
    clone.script(NEW, "SELECT 'new';\n")
    clone.commit()
    clone.git("mv", f"prisma/migrations/{INIT}", "prisma/migrations/20240101000000_other")
    clone.git("rm", "--quiet", "-r", f"prisma/migrations/{NEW}")
    found = said(clone.check())
    assert found["migration-renamed"][0].endswith(
        f"it was called {INIT} in main ({clone.git('rev-parse', 'HEAD')[:7]})"
    )
    assert NEW in found["migration-gone"][0]
    assert "migration-out-of-order" not in found


def test_of_migrations_with_one_text_each_is_told(clone: Clone) -> None:
    twins = ("20250101000000_a", "20250102000000_b", "20250103000000_c")
    for name in twins:
        clone.script(name)
    clone.commit()
    clone.git("rm", "--quiet", "-r", *(f"prisma/migrations/{name}" for name in twins))
    (line,) = said(clone.check())["migration-gone"]
    assert all(name in line for name in twins)
    clone.script("20250201000000_d")
    clone.script("20250202000000_e")
    found = said(clone.check())
    assert len(found["migration-renamed"]) == 2 and twins[2] in found["migration-gone"][0]


def test_a_script_behind_a_link_is_as_it_was(clone: Clone) -> None:
    clone.write("prisma/shared.sql", "SELECT 1;\n")
    link = clone.script(NEW)
    link.unlink()
    link.symlink_to("../../shared.sql")
    clone.commit()
    assert said(clone.check()) == {}
    link.parent.rename(link.parent.with_name("20250102000000_other"))
    assert NEW in said(clone.check())["migration-renamed"][0]


def test_a_folder_that_was_moved_still_has_its_history(clone: Clone) -> None:
    clone.script(NEW)
    clone.commit()
    clone.git("mv", "prisma", "db")
    folder = clone.top / "db" / "migrations"
    assert names(clone.check(folder=folder)) == []
    clone.write(f"db/migrations/{INIT}/migration.sql", "SELECT 2;\n")
    (folder / NEW / "migration.sql").unlink()
    found = said(clone.check(folder=folder))
    assert INIT in found["migration-edited"][0] and NEW in found["migration-gone"][0]


def test_a_new_migration_before_one_that_is_there(clone: Clone) -> None:
    clone.script("20230101000000_late")
    (line,) = said(clone.check())["migration-out-of-order"]
    assert INIT in line


def test_what_git_does_not_know_is_told(clone: Clone) -> None:
    clone.write(".gitignore", "*_b/\n")
    clone.script("20250101000000_a")
    clone.script("20250102000000_b")
    assert said(clone.check())["migration-untracked"] == [
        "20250101000000_a/migration.sql:1: it is not in git",
        "20250102000000_b/migration.sql:1: git is told to ignore it",
    ]


def test_the_base_of_a_pipeline_is_the_branch_that_it_names(clone: Clone, tmp_path: Path) -> None:
    clone.git("branch", "release")
    clone.script(NEW)
    clone.commit()
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "--quiet", str(clone.top), str(copy)], check=True)
    here = Clone.__new__(Clone)
    here.top, here.folder = copy, copy / "prisma" / "migrations"
    assert names(here.check()) == []
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        report = here.check(environ={name: "release"})
        assert names(report) == [NEW] and report.base is not None and report.base.ref == "origin/release"


def test_without_a_common_commit_the_base_itself_counts(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "--orphan", "alone")
    clone.script(NEW)
    clone.commit()
    report = clone.check(ref="main")
    assert names(report) == [NEW] and "where this branch left main" in report.not_checked[0]


@pytest.mark.parametrize("ref", ["nowhere", "--all", "HEAD:prisma", "main..HEAD", ""])
def test_a_base_that_git_does_not_know_is_misuse(clone: Clone, ref: str) -> None:
    if not ref:
        assert clone.check(ref=ref).base is not None
        return
    with pytest.raises(Misuse, match="git knows no commit"):
        clone.check(ref=ref)


def test_without_a_commit_or_without_git_everything_is_judged_and_that_is_said(clone: Clone, tmp_path: Path) -> None:
    young = tmp_path / "young"
    young.mkdir()
    subprocess.run(["git", "init", "--quiet", str(young)], check=True)
    bare = tmp_path / "bare"
    for folder, words in ((young, "no commit yet"), (bare, "is in no git work tree")):
        script = folder / "migrations" / INIT / "migration.sql"
        script.parent.mkdir(parents=True)
        script.write_text("SELECT 1;\n")
        report = clone.check(folder=folder / "migrations")
        assert names(report) == [INIT] and words in report.not_checked[0]
        with pytest.raises(Misuse, match="cannot be told"):
            clone.check(folder=folder / "migrations", ref="main")


def test_names_that_git_would_quote_are_found(clone: Clone) -> None:
    for name in ("20250101000000_ä ö", '20250102000000_"', "20250103000000_\ttab", "20250104000000_[x]*?"):
        clone.script(name)
    clone.commit()
    assert names(clone.check()) == []
    clone.script("20250101000000_ä ö", "SELECT 2;\n")
    assert list(said(clone.check())) == ["migration-edited"]


def test_a_folder_whose_name_means_something_to_git_is_itself(clone: Clone) -> None:
    clone.write(f":(top)*/migrations/{INIT}/migration.sql", "SELECT 1;\n")
    folder = clone.top / ":(top)*" / "migrations"
    assert said(clone.check(folder=folder))["migration-untracked"] == [f"{INIT}/migration.sql:1: it is not in git"]
    clone.commit()
    assert "migration-untracked" not in said(clone.check(folder=folder, everything=True))


def test_migrations_at_the_top_of_the_work_tree(clone: Clone) -> None:
    top = clone.folder.parent
    clone.git("init", "--quiet", str(top))
    clone.git("add", "--all", cwd=top)
    clone.git("commit", "--quiet", "--message", "init", cwd=top)
    clone.script(NEW, 'ALTER TABLE "User" ADD COLUMN unheard int;\n')
    report = clone.check()
    assert (names(report), report.top) == ([NEW], top)
    assert "migration-without-schema" in said(report) and "migration-gone" not in said(report)
