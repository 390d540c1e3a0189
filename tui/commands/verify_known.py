"""What `gonogo transcript verify --database` says of the sessions that a target's register knows."""

import json
from collections.abc import Sequence

from runbooks.anchoring.heads_compared import Known
from runbooks.journal.grade import Grade, reaches
from tui.printable import one_line


def holds(known: Known, at_least: Grade) -> bool:
    """Whether its journal is here, reaches the grade, and no file that it names was altered."""
    altered = any(artefact.state == "altered" for artefact in known.artefacts)
    return known.verdict is not None and reaches(known.verdict.grade, at_least) and not altered


def known_line(known: Known) -> str:
    """One session."""
    return one_line(f"{known.session}: {_state(known)}")


def known_json(sessions: Sequence[Known]) -> str:
    """All of them. Records count from 0."""
    rows = [
        {
            "session": known.session,
            "environment": known.environment,
            "host": known.host,
            "noted": {"seq": known.seq, "at": known.at},
            "here": known.verdict is not None,
            "grade": known.verdict.grade if known.verdict else None,
            "anchored_to": known.verdict.reached if known.verdict else None,
            "records": known.verdict.records if known.verdict else None,
            "strange_heads": [str(head) for head in known.verdict.strangers] if known.verdict else [],
            "altered": [each.path for each in known.artefacts if each.state == "altered"],
            "why": _state(known),
        }
        for known in sessions
    ]
    return json.dumps(rows, indent=2)


def _state(known: Known) -> str:
    verdict = known.verdict
    if verdict is None:
        lacks = f"not here: it ran on {known.host}, and its record {known.seq} was noted at {known.at}"
        return f"cannot be read: {known.why}" if known.why else lacks
    words = [f"{verdict.grade}: {_proven(known)}"]
    words += [f"altered: {each.path}" for each in known.artefacts if each.state == "altered"]
    return "; ".join(words)


def _proven(known: Known) -> str:
    verdict = known.verdict
    assert verdict is not None
    if verdict.fault:
        return f"record {verdict.fault.seq} (line {verdict.fault.line}): {verdict.fault.what}"
    if verdict.strangers:
        return f"no record has the head {verdict.strangers[0]} that the register has"
    return f"the register proves it up to record {verdict.reached} of 0 to {verdict.records - 1}"
