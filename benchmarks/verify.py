"""`gonogo transcript verify` on a long journal: `python -m benchmarks.verify`.

Records a second, side by side with the least that a verifier in plain Python can do: parse each line, write it again,
compare, hash, and follow the chain, without a look at what the records say. Every figure is the best of some rounds,
taken in turns, of processes that do nothing else. And the memory that gonogo takes at the most for this journal and for
one of a tenth of it. Ends with 1 where a figure is beyond its bound.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from runbooks.journal import verify

BOUND = 2.0
"""gonogo may take so many times as long as the plain verifier."""
MORE = 8
"""So many MiB more may a journal of ten times the length take."""
AT = "2026-01-31T02:03:04.123456Z"
OPENED = {
    "answers": None, "environment": "production", "format": 1, "git": None, "gonogo": "0.1.0", "mode": "walk",
    "operator": {"host": "bastion-1", "how": "keys", "name": "ana@example.org", "os_user": "ana", "ssh": None},
    "previous": None, "project": "shop", "project_file": "", "project_sha256": "ab" * 32, "protected": True,
    "runbook": {
        "name": "production", "options": [], "phases": [],
        "sha256": "", "troubleshooting": [],
    },
    "session": "20260131T020304Z-production-7f3a", "ticket": "CHG-4821",
}  # fmt: skip
ENDED = {"exit_code": 0, "outcome": "go", "reason": ""}


def canonical(value: object) -> bytes:
    """RFC 8785, of what a journal holds here."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def write_journal(path: Path, records: int) -> None:
    """A session with so many records: its opening, what a step said in small pieces, its end."""
    prev = "0" * 64
    with path.open("wb") as file:
        for seq in range(records):
            kind, data = (
                "step_output",
                {"attempt": 1, "step": "load", "stream": "out", "text": f"row {seq} of many\n" * 4},
            )
            if seq in (0, records - 1):
                kind, data = ("session_opened", OPENED) if seq == 0 else ("session_ended", ENDED)
            body = {"at": AT, "data": data, "kind": kind, "prev": prev, "seq": seq}
            prev = hashlib.sha256(canonical(body)).hexdigest()
            file.write(canonical({**body, "hash": prev}) + b"\n")


def plain(path: Path) -> None:
    """The least that is a verification. Raises ValueError."""
    prev = "0" * 64
    with path.open("rb") as lines:
        for seq, line in enumerate(lines):
            body = json.loads(line)
            if canonical(body) + b"\n" != line or (body["seq"], body["prev"]) != (seq, prev):
                raise ValueError(f"line {seq + 1}")
            prev = body.pop("hash")
            if hashlib.sha256(canonical(body)).hexdigest() != prev:
                raise ValueError(f"line {seq + 1}")


def ours(path: Path) -> None:
    """What the command does. Raises ValueError."""
    verdict = verify(path)
    if verdict.grade != "consistent":
        raise ValueError(f"the journal does not hold: {verdict.fault}")


def measured(work: Callable[[Path], None], path: Path) -> tuple[float, int]:
    """Seconds, and the most memory in KiB, of a process that does it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            started = time.perf_counter()
            work(path)
            os.write(writing, str(time.perf_counter() - started).encode())
        finally:
            os._exit(0)
    os.close(writing)
    _, _, used = os.wait4(child, 0)
    with os.fdopen(reading) as said:
        return float(said.read() or "nan"), used.ru_maxrss


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder, "long"), Path(folder, "short")
        write_journal(long, given.records)
        write_journal(short, given.records // 10)
        rounds = [(measured(plain, long), measured(ours, long), measured(ours, short)) for _ in range(given.rounds)]
    least, most = (min(r[which][0] for r in rounds) for which in (0, 1))
    tall, low = (min(r[which][1] for r in rounds) / 1024 for which in (1, 2))
    print(f"{given.records} records: gonogo {given.records / most:,.0f} a second, plain {given.records / least:,.0f}")
    print(f"gonogo takes {most / least:.2f} times as long, {BOUND} at the most")
    print(f"memory: {tall:.0f} MiB; a tenth of the journal {low:.0f} MiB, {MORE} MiB apart at the most")
    return 0 if most / least <= BOUND and tall - low <= MORE else 1


if __name__ == "__main__":
    sys.exit(main())
