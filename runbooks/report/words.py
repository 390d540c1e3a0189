"""Times, lengths, sizes and outcomes, in words."""

from migrations.listed import many as many
from runbooks.report.parts import Value, Words
from runbooks.session.events import By

OUTCOME = {"ok": "✔ ok", "warn": "⚠ warn", "fail": "✘ fail", "unknown": "? unknown"}
SESSION_OUTCOME = {
    "go": "GO",
    "no_go": "NO-GO",
    "rolled_back": "ROLLED BACK",
    "unavailable": "UNAVAILABLE",
    "crashed": "CRASHED",
}
DECISION = {
    "go": "GO",
    "no_go": "NO-GO",
    "roll_back": "Roll back",
    "stop": "Stop after this script or batch",
    "cancel": "Cancel now",
    "end": "End the session",
}
EFFECT = {"reads": "only reads", "target": "changes the database", "outside": "changes something outside the database"}
WHY = {
    "phase": "as the phase opened",
    "start": "on the operator's word",
    "go": "again, at GO",
    "resume": "after the session was resumed",
    "opening": "at the opening",
}
HOW = {
    "keys": "at the keyboard",
    "answers": "unattended, from the answers file",
    "command": "by a command",
    "engine": "by gonogo",
}


def took(microseconds: int) -> str:
    """A length of time: `380 ms`, `1.5 s`, `42 min 5 s`, `3 h 7 min`."""
    if microseconds < 1000:
        return f"{microseconds} µs"
    milliseconds = microseconds // 1000
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds // 1000}.{milliseconds % 1000 // 100} s"
    seconds = milliseconds // 1000
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def size(count: int) -> str:
    """A size with its exact number of bytes: `12 bytes`, `1.4 MB (1432101 bytes)`."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            tenths = count * 10 // 1000**power
            return f"{tenths // 10}.{tenths % 10} {unit} ({count} bytes)"
    return f"{count} bytes"


def moment(at: str, day: str = "") -> str:
    """A record's time to the second, UTC; without the date if that is `day`."""
    date, time = at[:10], at[11:19]
    return time if date == day else f"{date} {time}"


def login(by: By) -> str:
    """What the machine knows of a person, beside the claimed name."""
    over = f" over SSH from {by.ssh}" if by.ssh else ""
    return f"{by.os_user}@{by.host}{over}"


def by_whom(by: By, machine: str = "") -> Words:
    """Who, as claimed, and how; `machine` is what else to tell of them."""
    beside: Words = (" (", Value(machine), ")") if machine else ()
    return ("by ", Value(by.name), *beside, f", {HOW[by.how]}")


def mark(outcome: str) -> str:
    """The sign of an outcome alone."""
    return OUTCOME[outcome].split()[0]
