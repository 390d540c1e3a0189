"""Ledgers as Prisma leaves them, made in a test's database beside a folder of scripts."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from migrations.doctor import Facts, State, diagnose
from migrations.doctor.reading import read_facts
from migrations.folder import Migration, read_folder
from migrations.ledger import NAME, TABLE, Row, rows
from migrations.target import Connection, Pinned, Url
from tests.migrations import prisma_says

LOGS = (
    'A migration failed to apply.\n\nDatabase error code: 42P01\n\nDatabase error:\nERROR: relation "x" does not exist'
)
SCRIPTS = {
    "1_notes": "CREATE TABLE notes (id int PRIMARY KEY);\n",
    "2_tags": "CREATE TABLE tags (id int);\nALTER TABLE notes ADD tag int;\nCREATE INDEX notes_tag ON notes (tag);\n",
    "3_last": "ALTER TABLE notes ADD COLUMN last text;\n",
}


class World:
    """A folder and a database. What is done here is done as Prisma, or as somebody with psql."""

    def __init__(self, url: str, folder: Path, scripts: Mapping[str, str] = SCRIPTS) -> None:
        self.url, self.folder = url, folder
        for name, text in scripts.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """Write a script."""
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / name / "migration.sql").write_bytes(text.encode())

    def sql(self, text: str) -> None:
        """Run something, as somebody with psql."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(text.encode())

    def ledger(self) -> None:
        """Make the ledger, as Prisma does."""
        self.sql(TABLE.format(NAME))

    def row(self, name: str, state: str = "applied", *, logs: str | None = None, checksum: str = "") -> None:
        """Write a row, as deploy leaves it in this state."""
        finished, back = ("now()" if state == "applied" else "NULL"), ("now()" if state == "rolled back" else "NULL")
        path = self.folder / name / "migration.sql"
        found = checksum or (hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "0" * 64)
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(
                f"INSERT INTO {NAME} (id, checksum, migration_name, started_at, finished_at, rolled_back_at, logs, "
                "applied_steps_count) "
                f"VALUES (gen_random_uuid(), %s, %s, clock_timestamp(), {finished}, {back}, %s, %s)".encode(),
                (found, name, logs, int(state == "applied")),
            )

    def apply(self, *names: str) -> None:
        """Run scripts and write their rows, as deploy does."""
        for name in names:
            self.sql((self.folder / name / "migration.sql").read_text())
            self.row(name)

    def stored(self) -> list[dict[str, Any]]:
        """The ledger, row for row, in the order of their starts; without ids."""
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as conn:
            found = conn.execute(f"SELECT * FROM {NAME} ORDER BY started_at, id".encode()).fetchall()
        return [{key: value for key, value in row.items() if key != "id"} for row in found]

    async def open(self) -> Connection:
        """A connection as ours are."""
        return await Pinned(Url.parse(self.url, variable="D")).open("ledger", application_name="gonogo doctor")

    async def facts(self) -> Facts:
        """What the doctor reads."""
        conn = await self.open()
        try:
            return await read_facts(conn, self.folder, Url.parse(self.url, variable="D").schema)
        finally:
            await conn.close()

    async def states(self) -> dict[str, State]:
        """The diagnosis, by name."""
        return {state.name: state for state in diagnose(await self.facts(), "here")}

    async def prisma_status(self, version: tuple[int, int] = (7, 8)) -> str:
        """What `prisma migrate status` would say."""
        conn = await self.open()
        try:
            found: tuple[Row, ...] | None = await rows(conn)
        finally:
            await conn.close()
        folder: tuple[Migration, ...] = read_folder(self.folder)
        return prisma_says.status(folder, found, version=version)
