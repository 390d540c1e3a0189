"""What is left after a session, from one to the next: follow-ups, the stages of a series, the logs of what failed."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from fix_command import Gonogo, Said, SmallProject

HEAD = '```toml runbook\nname = "small"\nowner = "platform"\nseries = "notes"\nstage = {}\n```\n\n## Backup\n'
INSPECT = '\n```toml step\nid = "series"\nuses = "series.inspect"\n```\n\n## Migrate\n'
NOTE = '## Smoke\n\n```toml step\nid = "note"\nuses = "incident.note"\ntext = "pw is hunter2-hunter2"\n```\n\n'
NOTE += '```toml step\nuses = "schema.document"\n```\n'
FOLLOW_UPS = '\n## Follow-ups\n\n- [ ] Remove the flag <!-- id=flag owner="web" due="2020-01-31" -->\n'
LOGS = '\n[environments.here.logs]\napp = ["sh", "-c", "echo the app says $TOKEN"]\nweb = "https://logs.example.org"\n'


def staged(small: SmallProject, stage: int, deploy: str = "echo deployed") -> None:
    """The small runbook as a stage of a series."""
    path = small.folder / "small.md"
    text = path.read_text() if stage == 1 else (small.folder / "first.md").read_text()
    if stage == 1:
        (small.folder / "first.md").write_text(text)
    start = text.index("## Backup")
    text = HEAD.format(stage) + text[start + len("## Backup\n") :]
    text = text.replace("## Migrate\n", INSPECT, 1).replace("## Smoke\n", NOTE, 1).replace("echo deployed", deploy)
    path.write_text(text + FOLLOW_UPS)


def run(gonogo: Gonogo, small: SmallProject) -> Said:
    words = ("run", "here", "--ticket", "CHG-1", "--answers", "answers.toml")
    return gonogo(*words, cwd=small.folder, env={**small.env, "TOKEN": "hunter2-hunter2"})


@pytest.mark.soak
def test_from_one_session_to_the_next(gonogo: Gonogo, small: SmallProject, tmp_path: Path) -> None:
    toml = small.folder / "gonogo.toml"
    toml.write_text(toml.read_text().replace("[environments", 'secrets = ["TOKEN"]\n[environments', 1) + LOGS)
    staged(small, 1)
    first = run(gonogo, small)
    assert first.code == 0, first.err
    session = first.session.name
    for words in (
        "1 migration applied: 20260101000000_notes",
        f"To be done: Remove the flag (web, by 2020-01-31); tick off: gonogo follow-ups done {session} flag NOTE",
        "To be done: notes, stage 2 of 5: let the application write both (platform, next release)",
    ):
        assert words in first.err, first.err
    assert "> pw is «redacted:TOKEN»" in (small.folder / "docs/incidents.md").read_text()
    assert "## public.notes" in (small.folder / "docs/db/SCHEMA.md").read_text()
    assert "gonogo GO" in gonogo("transcript", "show", "--ticket", cwd=small.folder).out
    note = gonogo("transcript", "show", "--release-note", cwd=small.folder).out
    assert (
        note.startswith("20")
        and f"small here, CHG-1: 1 migration applied: 20260101000000_notes (gonogo {session}" in note
    )
    assert gonogo("transcript", "verify", str(first.session / "transcript.html"), cwd=small.folder).code == 0
    assert gonogo("follow-ups", "done", session, "flag", "CHG-9", cwd=small.folder).code == 0
    pack = tmp_path / "pack.zip"
    assert gonogo("transcript", "export", session, "--pack", "-o", str(pack), cwd=small.folder).code == 0
    assert gonogo("transcript", "verify", str(pack), cwd=small.folder).code == 0
    assert any(name.endswith("follow-ups/flag.json") for name in ZipFile(pack).namelist())

    staged(small, 2, "exit 3")
    small.migration("20260102000000_more", "CREATE TABLE more ();\n")
    small.answers()
    second = run(gonogo, small)
    assert second.code == 1, second.err
    for words in (
        "Follow-ups of earlier sessions: 1 open: notes, stage 2 of 5",
        f"The stages before: 1 in {session}",
        "≡ web: https://logs.example.org",
        "the app says «redacted:TOKEN»",
    ):
        assert words in second.err, second.err
    kept = [path.read_text() for path in (second.session / "artefacts").glob("*-logs-*-app.log")]
    assert kept == ["the app says «redacted:TOKEN»\n"]
    left = json.loads(gonogo("follow-ups", "list", "--json", cwd=small.folder).out)
    assert [(row["session"], row["id"]) for row in left] == [(session, "next-stage")]
