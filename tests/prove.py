"""`make proof`: put the whole catalogue to every PostgreSQL that this machine offers, and print what each one did."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from cheap import place, prepare
from proving.stage import Stage, staged
from proving.verdict import Verdict

from migrations.locks.claims import Claim, claims
from migrations.problem import Problem, Unavailable
from migrations.rules import Rule, rules
from migrations.server import ThrowawayServer, embedded_bin, major_version

Table = dict[str, list[Verdict | None]]

DEBIAN = Path("/usr/lib/postgresql")
SETTINGS = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "wal_level": "logical"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be proven: under which row or rule it stands, what is said, and how it is put to a server."""

    head: str
    claim: str
    put: Callable[[Stage], Verdict | None]


def catalogue() -> Iterator[Entry]:
    """Every rule, and every claim of docs/statements.md. Of another version than the server's, nothing is claimed."""
    for rule in rules():
        yield Entry(f"rule {rule.code}", rule.risky, partial(_put_rule, rule=rule))
    for row, claim in claims():
        yield Entry(row, claim.sql, partial(_put, claim=claim))


def _put_rule(stage: Stage, rule: Rule) -> Verdict | None:
    return stage.put_rule(rule) if stage.major >= rule.since else None


def _put(stage: Stage, claim: Claim) -> Verdict | None:
    return stage.put(claim) if claim.is_for(stage.major) else None


def offered(chosen: list[Path]) -> Iterator[tuple[int, Path]]:
    """The folders of programs, one for each major version; of those that were chosen, all."""
    on_path = shutil.which("postgres")
    found = [embedded_bin(), *sorted(DEBIAN.glob("*/bin")), *([Path(on_path).resolve().parent] if on_path else [])]
    majors = set()
    for bin in [*chosen, *found]:
        try:
            major = asyncio.run(major_version(bin))
        except Unavailable as error:
            if bin in chosen:
                raise
            print(f"passed over: {error}", file=sys.stderr)
            continue
        if major not in majors or bin in chosen:
            majors.add(major)
            yield major, bin


def main() -> int:
    """Exit code 1 if a server contradicts anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pg-bin", type=Path, metavar="DIR", action="append", default=[], help="also these programs")
    parser.add_argument("--only", metavar="TEXT", default="", help="only what has this in its row, rule or statement")
    options = parser.parse_args()
    entries = [entry for entry in catalogue() if options.only in f"{entry.head} {entry.claim}"]
    table: Table = {}
    for major, bin in sorted(offered([bin.absolute() for bin in options.pg_bin])):
        label = str(major) if str(major) not in table else f"{major} ({bin})"
        table[label] = proven(label, bin, entries)
    wrong = show(entries, table)
    put = sum(verdict is not None for verdicts in table.values() for verdict in verdicts)
    print(f"\n{put} proofs on PostgreSQL {', '.join(table)}: {wrong or 'none'} contradicted")
    return 1 if wrong else 0


def proven(label: str, bin: Path, entries: list[Entry]) -> list[Verdict | None]:
    """What one server has to say of each."""
    print(f"PostgreSQL {label}: {bin}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="gonogo-proof-", dir=place()) as folder, ThreadPoolExecutor(1) as loop:
        server = loop.submit(asyncio.run, ThrowawayServer.start(Path(folder), bin=bin, settings=SETTINGS)).result()
        try:
            prepare(server)
            with staged(server) as stage:
                return [_verdict(entry, stage) for entry in entries]
        finally:
            loop.submit(asyncio.run, server.stop()).result()


def _verdict(entry: Entry, stage: Stage) -> Verdict | None:
    try:
        return entry.put(stage)
    except psycopg.Error as error:
        return Verdict("it could not be put to the server", (str(error),))


def show(entries: list[Entry], table: Table) -> int:
    """Print the table; how many verdicts contradict."""
    head, wrong = "", 0
    for number, entry in enumerate(entries):
        if entry.head != head:
            head = entry.head
            print(f"\n{head}")
        print(f"    {' '.join(entry.claim.split())}")
        for did, servers in by_verdict(number, table):
            print(f"        {', '.join(servers)}: {did.did if did else 'not claimed of this version'}")
            for against in did.against if did else ():
                print(f"            CONTRADICTED: {against}")
            wrong += len(servers) if did and did.against else 0
    return wrong


def by_verdict(number: int, table: Table) -> list[tuple[Verdict | None, list[str]]]:
    """The servers that say the same, together."""
    found: dict[Verdict | None, list[str]] = {}
    for server, verdicts in table.items():
        found.setdefault(verdicts[number], []).append(server)
    return list(found.items())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(problem.exit_code)
