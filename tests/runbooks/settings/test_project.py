"""gonogo.toml: found, read, or refused with every fault and its line, and without a secret in the words."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.problem import Misuse
from runbooks.document.chosen import runbook_text
from runbooks.settings.faults import DocumentError, ProjectError
from runbooks.settings.project import Project, find, load

WHOLE = """\
[project]
name = "shop"
migrations = "db/migrations"
naming = "dashed"
secrets = ["PAYMENT_API_KEY"]
dumps = "/var/dumps"

[environments.staging]
url = "STAGING_URL"

[environments.production]
url = "DATABASE_URL"
direct_url = "DIRECT_URL"
fingerprint = "7421000000000000000/shop"
runbook = "runbooks/big.md"
protected = true
parity = "staging"
pooler = "session"

[environments.production.values]
app = "https://shop.example"

[review]
reads_blocked = "300ms"
also = ["foreign-key-without-index"]
"""


def read(folder: Path, text: str | bytes) -> Project:
    path = folder / "gonogo.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def faults(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ProjectError) as caught:
        read(folder, text)
    assert caught.value.exit_code == 2
    assert "hunter2" not in str(caught.value)
    return [str(fault) for fault in caught.value.faults]


def test_a_whole_file(tmp_path: Path) -> None:
    project = read(tmp_path, WHOLE)
    assert (project.name, project.naming, project.secrets) == ("shop", "dashed", ("PAYMENT_API_KEY",))
    assert (project.folder, project.migrations) == (tmp_path, tmp_path / "db/migrations")
    assert (project.sessions, project.dumps) == (None, Path("/var/dumps"))
    review = project.review
    assert (review.reads_blocked, review.writes_blocked) == (timedelta(seconds=0.3), timedelta(seconds=5))
    assert review.also == ("foreign-key-without-index",)
    production = project.environment("production")
    assert (production.url, production.direct_url, production.protected) == ("DATABASE_URL", "DIRECT_URL", True)
    assert (production.fingerprint, production.pooler) == ("7421000000000000000/shop", "session")
    assert production.values == {"app": "https://shop.example"}
    assert project.environments["staging"].runbook is None


def test_a_group_needs_a_place_that_it_can_reach(tmp_path: Path) -> None:
    rest = "[environments.dev]\n"
    shared = f'[project]\nname = "shop"\nsessions = "/srv/gonogo"\ngroup = "dba"\n{rest}'
    assert read(tmp_path, shared).group == "dba"
    (fault,) = faults(tmp_path, f'[project]\nname = "shop"\ngroup = "dba"\n{rest}')
    assert "`group` stands without `sessions`" in fault
    (fault,) = faults(tmp_path, shared.replace("dba", "a b"))
    assert "`group` is not right" in fault


def test_sessions_never_lie_in_the_work_tree(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    text, service = '[project]\nname = "shop"\nsessions = "%s"\n[environments.dev]\n', tmp_path / "services" / "shop"
    service.mkdir(parents=True)
    assert read(service, text % "../../../sessions").sessions
    for where in (".", "records", "../../records", str(service / "records")):
        (fault,) = faults(service, text % where)
        assert "line 3: `sessions` lies inside the work tree; expected a folder outside of " in fault


def test_the_least_that_is_enough(tmp_path: Path) -> None:
    project = read(tmp_path, '[project]\r\nname = "shop"\r\n[environments.dev]\r\n')
    assert (project.migrations, project.naming) == (tmp_path / "prisma/migrations", "prisma")
    assert project.environments["dev"].url == "DATABASE_URL"
    beside = read(tmp_path, '[project]\nname = "shop"\n[environments.dev]\nrunbook = "dev.md"\n')
    assert beside.environments["dev"].runbook == "dev.md"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('url = "STAGING_URL"', 'ur = "STAGING_URL"', "line 9: unknown key `ur`; expected `url`"),
        ("dumps", "dump", "line 6: unknown key `dump`; expected `dumps`"),
        ("[project]", "[projects]", "line 1: unknown key `projects`; expected `project`"),
        ('name = "shop"', "", "line 1: the project has no name"),
        ('"DATABASE_URL"', '"postgresql://a:hunter2@h/d"', "line 12: a connection string, or a password in an address"),
        (
            '"DATABASE_URL"',
            '"a:hunter2@h"',
            "line 12: `url` is not right; expected the NAME of an environment variable",
        ),
        ("https://shop", "https://a:hunter2@shop", "line 21: a connection string, or a password in an address"),
        ('["PAYMENT_API_KEY"]', '["hunter2 x"]', "line 5: `secrets` is not right; expected a list of NAMES"),
        ('"7421000000000000000/shop"', '"shop"', "line 14: `fingerprint` is not right"),
        ("protected = true", 'protected = "true"', "line 16: `protected` is not right; expected `true` or `false`"),
        ('parity = "staging"', 'parity = "production"', "line 17: `parity` is not right; expected another environment"),
        ('pooler = "session"', 'pooler = "transaction"', "line 18: `pooler` is not right"),
        ('pooler = "session"', "approvals = true", "line 18: `approvals` is not right; expected a number from 0 to 9"),
        ('pooler = "session"', "approvals = 1", "line 18: `approvals` without signers; expected `signers` or"),
        ('pooler = "session"', 'signers = "s"\nsigners_from = "origin/main:s"', "line 18: `signers` and `sign"),
        ('pooler = "session"', 'signers_from = "--output=x:s"', "line 18: `signers_from` is not right"),
        ('pooler = "session"', 'window = "Sat 02:00-06:00 Here"', "line 18: `window` is not right: this machine knows"),
        ('pooler = "session"', 'window = ["daily 01:00-02:00 UTC", 1]', "line 18: `window` is not right; expected"),
        ('parity = "staging"', "parity_required = true", "line 17: `parity_required` without `parity`"),
        (
            'pooler = "session"',
            'allowed = ["walk"]',
            "line 18: `allowed` is not right; expected a list of: run",
        ),
        ('pooler = "session"', 'refused = "x"', "line 18: `refused` is not right; expected a list of: destructive"),
        ('pooler = "session"', "review_within = 0", "line 18: `review_within` is not right"),
        ('"runbooks/big.md"', '"prodction"', "line 15: `runbook` is not right; expected a file such as runbooks/x.md"),
        ('"dashed"', '"dased"', "line 4: `naming` is not right: `dased`; expected `dashed`"),
        ('"dashed"', '"("', "line 4: `naming` is not right: `(`; expected prisma, dashed, date, or a regular"),
        ('"db/migrations"', '""', "line 3: `migrations` is not right"),
        ('"db/migrations"', "1", "line 3: `migrations` is not right"),
        ('app = "https://shop.example"', "app = 1", "line 21: `app` is not right; expected a text in quotes"),
        ("app =", '"a b" =', "line 21: `a b` cannot be `${env.…}`"),
        ("[environments.staging]", "[environments.'st/g']", "line 8: `st/g` cannot name an environment"),
        ("reads_blocked", "read_blocked", "line 24: unknown key `read_blocked`; expected `reads_blocked`"),
        ('"300ms"', '"300"', "line 24: `reads_blocked` is not right; expected a length of time such as 90s"),
        ('"300ms"', '"0s"', "line 24: `reads_blocked` is not right"),
        ('"300ms"', "1", "line 24: `reads_blocked` is not right"),
        (
            "foreign-key-without-index",
            "foreign-key-no-index",
            "line 25: unknown rule `foreign-key-no-index`; expected `foreign-key-without-index`",
        ),
        (
            '["foreign-key-without-index"]',
            '"no-lock-timeout"',
            "line 25: `also` is not right; expected a list of rules",
        ),
        ('url = "STAGING_URL"', "url = ", "line 9: this is not TOML: invalid value"),
    ],
)
def test_faults(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in WHOLE
    found = faults(tmp_path, WHOLE.replace(old, new, 1))
    assert any(fault.startswith(expected) for fault in found), found


def test_faults_are_told_together(tmp_path: Path) -> None:
    text = WHOLE.replace("dumps", "dump").replace('"dashed"', '"("').replace("true", "1").replace("7421", "x")
    assert [fault.split(":")[0] for fault in faults(tmp_path, text)] == ["line 4", "line 6", "line 14", "line 16"]


def test_environments_with_one_fingerprint_are_told_apart_by_the_database_not_by_the_file(tmp_path: Path) -> None:
    twin = WHOLE.replace('url = "STAGING_URL"', 'fingerprint = "7421000000000000000/shop"')
    assert len({one.fingerprint for one in read(tmp_path, twin).environments.values()}) == 1


def test_files_that_are_no_projects(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == [
        "line 1: the project has no name; expected `name = \"…\"` under [project]",
        "line 1: there is no environment; expected `[environments.NAME]`",
    ]  # fmt: skip
    assert faults(tmp_path, b"a\n\xff") == ["line 2: a byte here is not UTF-8; expected the file saved as UTF-8"]
    assert faults(tmp_path, "project = 1\nenvironments = 2")[0].startswith("line 1: `project` is no table")
    with pytest.raises(Misuse, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(Misuse, match="There is no"):
        load(tmp_path / "other.toml")


def test_the_nearest_file_above_is_found(tmp_path: Path) -> None:
    (tmp_path / "gonogo.toml").touch()
    deep = tmp_path / "a" / "b"
    (deep / "gonogo.toml").mkdir(parents=True)
    assert find(deep) == tmp_path / "gonogo.toml"
    with pytest.raises(Misuse, match=r"There is no gonogo\.toml"):
        find(Path("/"))


def test_unknown_environment(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"no environment prod\. Expected `production` \(known: staging, production\)"):
        read(tmp_path, WHOLE).environment("prod")


def test_runbooks_by_name_and_by_file(tmp_path: Path) -> None:
    project = read(tmp_path, WHOLE)
    production, staging = project.environments["production"], project.environments["staging"]
    with pytest.raises(Misuse, match="There is no runbook"):
        runbook_text(project, production)
    path = tmp_path / "runbooks" / "big.md"
    path.parent.mkdir()
    path.write_bytes(b"\xff")
    with pytest.raises(DocumentError, match="not UTF-8"):
        runbook_text(project, production)
    path.write_bytes(b"\xef\xbb\xbf## Backup\r\n")
    name, text = runbook_text(project, production)
    assert (name, text.encode()) == ("runbooks/big.md", path.read_bytes())
    assert runbook_text(project, staging)[0] == "staging"
    assert runbook_text(project, replace(production, runbook=None))[0] == "production"


@given(
    st.one_of(st.text(), st.sampled_from(WHOLE.split("\n")).flatmap(lambda line: st.just(WHOLE.replace(line, "x", 1))))
)
def test_any_text_is_a_project_or_an_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"  # of its own: whoever is below would find this gonogo.toml
    folder.mkdir(exist_ok=True)
    try:
        read(folder, text.encode("utf-8", "surrogatepass"))
    except ProjectError as error:
        assert all(1 <= fault.line <= text.count("\n") + 1 for fault in error.faults)
