"""The Migrate step side by side with psql on the same scripts: `python -m benchmarks.apply`.

100 and 1 000 small scripts of four statements each, on databases of one throw-away server whose commits reach the disk.
gonogo's time is that of the whole step in a real session without a screen, its record on disk included. psql sends the
same statements and the same rows of the ledger in one connection. Every figure is the best of some rounds, taken in
turns. Ends with 1 where a ratio is beyond its bound.
"""

import argparse
import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from migrations import ledger
from migrations.server import ThrowawayServer, embedded_bin
from runbooks.journal import read
from runbooks.session import events

TOP = Path(__file__).parents[1]
COUNTS = (100, 1000)
BOUND = 1.5
STATEMENTS = """CREATE TABLE "orders_{n}" ("id" SERIAL PRIMARY KEY, "customer_id" INTEGER NOT NULL);
ALTER TABLE "orders_{n}" ADD COLUMN "note" TEXT;
CREATE INDEX "orders_{n}_customer_idx" ON "orders_{n}" ("customer_id");
INSERT INTO "orders_{n}" ("customer_id") SELECT generate_series(1, 10);
"""
PROJECT = """[project]
name = "benchmark"
migrations = "migrations"
[environments.here]
url = "BENCHMARK_URL"
runbook = "runbook.md"
"""
RUNBOOK = """# Nothing but Migrate

```toml runbook
name = "benchmark"
```

## Backup

## Preflight

## Migrate

```toml step
id = "apply"
uses = "migrations.apply"
required = true
```

## Verify

## Deploy

## Smoke
"""


def write_project(folder: Path, count: int) -> None:
    """A project with so many pending scripts, and answers that say GO to all of them."""
    (folder / "gonogo.toml").write_text(PROJECT)
    (folder / "runbook.md").write_text(RUNBOOK)
    reviews = []
    for name, text in scripts(count).items():
        path = folder / "migrations" / name / "migration.sql"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        reviews.append(f'"{name}" = "{checksum(text)}"')
    go = "\n".join(f"{phase} = true" for phase in ("backup", "preflight", "migrate", "verify", "deploy", "smoke"))
    (folder / "answers.toml").write_text(f"[go]\n{go}\n[reviews]\n" + "\n".join(reviews) + "\n")


def scripts(count: int) -> dict[str, str]:
    """The scripts by name."""
    return {f"20260101{n:06}_orders_{n}": STATEMENTS.format(n=n) for n in range(count)}


def checksum(text: str) -> str:
    """As the ledger has it."""
    return hashlib.sha256(text.encode()).hexdigest()


def by_gonogo(folder: Path, url: str, home: Path) -> float:
    """Seconds of the step, as its session recorded them."""
    env = {**os.environ, "PYTHONPATH": str(TOP), "BENCHMARK_URL": url, "XDG_STATE_HOME": str(home)}
    argv = [sys.executable, "-P", "-m", "tui", "run", "here", "--ticket", "x", "--operator", "x", "--headless"]
    done = subprocess.run([*argv, "--answers", "answers.toml"], cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"gonogo ended with {done.returncode}: {done.stderr[-2000:]}")
    (journal,) = home.glob("gonogo/sessions/*/journal.jsonl")
    at: dict[str, datetime] = {}
    for record in read(journal):
        if isinstance(record.event, events.StepStarted | events.StepEnded) and record.event.step == "apply":
            at[record.event.kind] = datetime.fromisoformat(record.at)
    return (at["step_ended"] - at["step_started"]).total_seconds()


def by_psql(server: ThrowawayServer, folder: Path, database: str, count: int) -> float:
    """Seconds of psql from its start to its end: each script in a transaction, its row of the ledger around it."""
    lines = []
    table = f'"public"."{ledger.NAME}"'
    for name, text in scripts(count).items():
        row = str(uuid.uuid4())
        lines.append(
            f"INSERT INTO {table} (id, checksum, started_at, migration_name) "
            f"VALUES ('{row}', '{checksum(text)}', now(), '{name}');\n"
            f"BEGIN;\n{text}{ledger.finishing_statement(table, row)};\nCOMMIT;\n"
        )
    path = folder / "all.sql"
    path.write_text("".join(lines))
    argv = [str(server.bin / "psql"), "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-f", str(path)]
    began = time.perf_counter()
    done = subprocess.run([*argv, server.url(database)], capture_output=True, text=True)
    took = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"psql ended with {done.returncode}: {done.stderr[-2000:]}")
    return took


async def make_database(server: ThrowawayServer, name: str, *, with_ledger: bool) -> None:
    """An empty database."""
    async with await psycopg.AsyncConnection.connect(server.url(), autocommit=True) as connection:
        await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    if with_ledger:
        async with await psycopg.AsyncConnection.connect(server.url(name), autocommit=True) as connection:
            await ledger.create(connection, None)


async def compare(server: ThrowawayServer, count: int, rounds: int) -> float:
    """The ratio of the best rounds."""
    ours, theirs = [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="gonogo-benchmark-") as place:
            folder = Path(place) / "project"
            folder.mkdir()
            write_project(folder, count)
            mine, other = f"gonogo_{count}_{number}", f"psql_{count}_{number}"
            await make_database(server, mine, with_ledger=False)
            await make_database(server, other, with_ledger=True)
            theirs.append(await asyncio.to_thread(by_psql, server, folder, other, count))
            ours.append(await asyncio.to_thread(by_gonogo, folder, server.url(mine), Path(place) / "home"))
    ratio = min(ours) / min(theirs)
    print(f"{count:5} scripts: gonogo {min(ours):7.2f} s, psql {min(theirs):7.2f} s: {ratio:.2f} x")
    return ratio


async def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pg-bin", type=Path, default=None)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gonogo-benchmark-") as place:
        server = await ThrowawayServer.start(Path(place) / "server", bin=chosen.pg_bin or embedded_bin())
        try:
            ratios = [await compare(server, count, chosen.rounds) for count in COUNTS]
        finally:
            await server.stop()
    good = max(ratios) <= BOUND
    print(f"bound: {BOUND:g} x: {'held' if good else 'NOT held'}")
    return good


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
