"""What is claimed of every kind of statement, harmless ones too, the server confirms; and `touches_of` tells it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fix_postgres import apart, pg_bin
from proving.of_rules import put_rule
from proving.stage import Stage, staged

from migrations.locks import Lock
from migrations.locks.claims import Claim, claims
from migrations.rules import rules
from migrations.server import ThrowawayServer, major_version


@pytest.fixture(scope="module")
def stage(server: ThrowawayServer) -> Iterator[Stage]:
    """A database with everything that claims speak of; nothing in it is ever changed."""
    with staged(server) as stage:
        yield stage


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Of another version than the one that is tested with, nothing is claimed."""
    if "proven" in metafunc.fixturenames:
        major = apart(major_version(pg_bin(metafunc.config)))
        chosen = [claim for _, claim in claims() if claim.is_for(major)]
        metafunc.parametrize("proven", chosen, ids=[claim.sql for claim in chosen])


def test_the_server_confirms_it(proven: Claim, stage: Stage) -> None:
    verdict = stage.put(proven)
    assert not verdict.against, verdict.did


TRUE = Claim("ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0)", {"t": Lock.ACCESS_EXCLUSIVE}, scans=("t",))


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (replace(TRUE, locks={"t": Lock.SHARE_ROW_EXCLUSIVE}), "t: ACCESS EXCLUSIVE, not SHARE ROW EXCLUSIVE"),
        (replace(TRUE, locks={}), "t: ACCESS EXCLUSIVE, not none"),
        (replace(TRUE, locks={**TRUE.locks, "o": Lock.SHARE}), "o: no lock, not SHARE"),
        (replace(TRUE, scans=()), "it reads t"),
        (replace(TRUE, rewrites=("t",)), "it never writes anew t"),
        (replace(TRUE, fails="23502"), "it succeeds"),
        (replace(TRUE, sql="SELECT 1 / 0"), "it fails: 22012"),
        (replace(TRUE, shows="SELECT false"), "gives False"),
        (replace(TRUE, sql="DO $$ BEGIN EXECUTE lower('LOCK TABLE t'); END $$"),
         "touches_of does not tell of ACCESS EXCLUSIVE on t"),
        (Claim("CREATE INDEX IF NOT EXISTS ti ON alone (id)", {"alone": Lock.SHARE}), "a build of alone"),
    ],
)  # fmt: skip
def test_the_server_contradicts_what_is_not_so(claim: Claim, words: str, stage: Stage) -> None:
    assert words in "\n".join(stage.put(claim).against)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lock": Lock.SHARE_ROW_EXCLUSIVE}, "t: ACCESS EXCLUSIVE, not SHARE ROW EXCLUSIVE"),
        ({"blocks": "writes"}, "others cannot do reads and writes, not writes"),
        ({"rewrites": True}, "it does not write t anew"),
        ({"fails": "23502"}, "it fails with nothing, not 23502"),
        ({"safer": "SELECT 1 / 0"}, "the safer form fails"),
    ],
)
def test_the_server_contradicts_a_rule_that_is_wrong(change: dict[str, object], words: str, database: str) -> None:
    rule = next(rule for rule in rules() if rule.code == "add-check-without-not-valid")
    assert words in "\n".join(put_rule(database, replace(rule, **change)).against)  # type: ignore[arg-type]
