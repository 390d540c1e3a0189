"""`make proof`: every server of the machine, one table, and a failure where a server contradicts."""

import subprocess
import sys
from pathlib import Path

import prove
import pytest
from proving.verdict import Verdict

SCRIPT = Path(prove.__file__)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, cwd=SCRIPT.parents[1], timeout=100)


@pytest.mark.soak
def test_the_catalogue_is_put_to_every_server_and_left_nowhere(pytestconfig: pytest.Config) -> None:
    majors = sorted({major for major, _ in prove.offered([])})
    done = run("--only", "COMMENT ON TYPE")
    assert done.returncode == 0, done.stdout + done.stderr
    servers = ", ".join(map(str, majors))
    assert f"COMMENT ON\n    COMMENT ON TYPE mood IS 'x'\n        {servers}: no table above ACCESS SHARE" in done.stdout
    assert f"{len(majors)} proofs on PostgreSQL {servers}: none contradicted" in done.stdout


def test_programs_that_are_not_there_end_it_in_words() -> None:
    done = run("--pg-bin", "/nowhere")
    assert (done.returncode, done.stdout) == (3, "")
    assert "There is no program /nowhere/postgres" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_contradiction_is_shown_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [prove.Entry("CREATE INDEX", "CREATE INDEX z\n ON t (n)", lambda stage: None)]
    against = Verdict("t SHARE", ("t: SHARE, not none", "it reads t"))
    wrong = prove.show(entries, {"15": [against], "17": [None], "18": [against]})
    assert wrong == 2
    assert capsys.readouterr().out.splitlines() == [
        "",
        "CREATE INDEX",
        "    CREATE INDEX z ON t (n)",
        "        15, 18: t SHARE",
        "            CONTRADICTED: t: SHARE, not none",
        "            CONTRADICTED: it reads t",
        "        17: not claimed of this version",
    ]
