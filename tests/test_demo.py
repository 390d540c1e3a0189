"""`make demo` without a terminal: from Backup to Smoke on a real PostgreSQL, with real programs."""

import json
from pathlib import Path

from fix_command import Gonogo

from runbooks import events as e
from runbooks.journal import read
from runbooks.view import fold

SMALL = {"GONOGO_DEMO_ORDERS": "2000"}


def test_the_demo_walks_to_its_end_without_a_terminal(gonogo: Gonogo, own_home: Path) -> None:
    said = gonogo("demo", env=SMALL)
    assert said.code == 0, said.err
    records = list(read(said.session / "journal.jsonl"))
    events = [record.event for record in records]
    view = fold((r.seq, r.at, r.event) for r in records)
    assert view.ended is not None and view.ended.outcome == "go"
    assert view.passed == ("backup", "preflight", "migrate", "verify", "deploy", "smoke")
    assert len([x for x in events if isinstance(x, e.Waived)]) == 1
    assert view.plan is not None and len(view.plan.scripts) == 5
    assert "destructive" in view.conditions
    assert f"Head {records[-1].hash}" in said.err
    assert (said.session / "transcript.md").read_text().startswith("# ")
    assert not list((own_home / ".local/state/gonogo/demo").iterdir()), "the demo leaves nothing"

    verified = gonogo("transcript", "verify")
    assert verified.code == 0, verified.out
    listed = json.loads(gonogo("sessions", "--json").out)
    assert [(s["environment"], s["outcome"], s["waivers"]) for s in listed] == [("staging", "go", 1)]
