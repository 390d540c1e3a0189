"""A schema of its own for each cell of the matrix, in one database: what the scripts find, and what they have left."""

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import psycopg

from migrations.ledger import NAME, TABLE
from migrations.server import ThrowawayServer
from tests.migrations.applying import until

ROLE = "gonogo_matrix"
HOME = f"{ROLE}_home"
MADE = (
    "CREATE ROLE {role} LOGIN PASSWORD '{secret}'",
    "ALTER ROLE {role} SET temp_file_limit = '200kB'",
    "ALTER ROLE {role} SET deadlock_timeout = '50ms'",
    "CREATE DATABASE {home} TEMPLATE template0",
)
_numbers = itertools.count(1)

SETUP = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.forbidden ();
GRANT ALL ON SCHEMA {schema} TO {role};
SET ROLE {role};
SET search_path = {schema};
CREATE TABLE faults (part int, inside text);
CREATE TABLE log (part int);
CREATE TABLE things (thing int);
INSERT INTO things VALUES (1), (2);
CREATE TYPE mood AS ENUM ('fair');
CREATE TABLE held (); CREATE TABLE other ();
CREATE TABLE once (thing int PRIMARY KEY); INSERT INTO once VALUES (1);
CREATE FUNCTION gate(n int) RETURNS int LANGUAGE plpgsql SET search_path = {schema} AS $$
DECLARE fault text;
BEGIN
    FOR fault IN SELECT inside FROM faults WHERE part = n LOOP EXECUTE fault; END LOOP;
    RETURN n;
END $$;
-- Not immutable in truth: so that the building of an index comes to a gate too.
CREATE FUNCTION gated(n int, thing int) RETURNS int IMMUTABLE LANGUAGE plpgsql SET search_path = {schema} AS $$
BEGIN
    PERFORM gate(n);
    RETURN thing;
END $$;
{ledger};
"""
THERE = """
SELECT part FROM {schema}.log
UNION ALL SELECT 1 FROM pg_class WHERE oid = to_regclass('{schema}.made')
UNION ALL SELECT 2 FROM pg_index WHERE indexrelid = to_regclass('{schema}.built') AND indisvalid
UNION ALL SELECT 2 FROM pg_enum WHERE enumtypid = to_regtype('{schema}.mood') AND enumlabel = 'fine'
ORDER BY 1
"""
LEDGER = """
SELECT migration_name, CASE WHEN rolled_back_at IS NOT NULL THEN 'rolled back' WHEN finished_at IS NULL THEN 'failed'
       ELSE 'applied ' || applied_steps_count END || CASE WHEN logs IS NULL THEN '' ELSE ', told' END
FROM {schema}._prisma_migrations ORDER BY started_at
"""
SLEEPS = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ 'script$' AND wait_event = 'PgSleep'"


@dataclass(frozen=True, slots=True)
class Home:
    """A server with a database for all cells, and a role that has no privilege beside it."""

    server: ThrowawayServer
    secret: str

    @classmethod
    def make(cls, server: ThrowawayServer) -> Self:
        """Make database and role."""
        home = cls(server, secrets.token_hex(8))
        with psycopg.connect(server.url(), autocommit=True) as conn:
            for statement in MADE:
                conn.execute(statement.format(role=ROLE, home=HOME, secret=home.secret).encode())
        return home

    def drop(self) -> None:
        """Drop them."""
        with psycopg.connect(self.server.url(), autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {HOME} WITH (FORCE)".encode())
            conn.execute(f"DROP ROLE {ROLE}".encode())


class Stage:
    """What a cell plays on. `admin` is a superuser's URL of the database, `url` the one that gonogo gets."""

    def __init__(self, home: Home) -> None:
        self.schema, self._secret = f"cell_{next(_numbers)}", home.secret
        self.move(home.server)

    @classmethod
    async def made(cls, home: Home) -> Self:
        """A schema with everything that a script finds."""
        stage = cls(home)
        await stage.query(SETUP.format(schema=stage.schema, role=ROLE, ledger=TABLE.format(NAME)))
        return stage

    def move(self, server: ThrowawayServer) -> None:
        """Let it be on this server, which has the same data."""
        self.server, self.admin = server, server.url(HOME)
        _, _, place = self.admin.partition("@")
        self.url = f"postgresql://{ROLE}:{self._secret}@{place}&schema={self.schema}"

    async def query(self, text: str) -> list[tuple[Any, ...]]:
        """Ask the database, as a superuser, on a connection of its own."""
        async with await psycopg.AsyncConnection.connect(self.admin, autocommit=True) as conn:
            cur = await conn.execute(text.encode())
            return await cur.fetchall() if cur.description else []

    async def arm(self, part: int, inside: str) -> None:
        """Let a part come to this statement in its middle."""
        text = inside.replace("'", "''")
        await self.query(f"INSERT INTO {self.schema}.faults VALUES ({part}, '{text}')")

    async def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            return bool(await self.query("SELECT 1"))
        except psycopg.OperationalError:
            return False

    async def mend(self) -> None:
        """Take the cause of every fault away."""
        await self.query(f"TRUNCATE {self.schema}.faults")

    async def there(self) -> list[int]:
        """The parts whose work is in the database, one as often as it is there."""
        return [row[0] for row in await self.query(THERE.format(schema=self.schema))]

    async def ledger(self) -> list[tuple[str, str]]:
        """The rows: name, and state in words."""
        return await self.query(LEDGER.format(schema=self.schema))

    async def nothing_left(self) -> bool:
        """Whether there is no INVALID index here, and no backend of the session."""
        invalid = (
            "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid "
            f"WHERE NOT indisvalid AND relnamespace = '{self.schema}'::regnamespace"
        )
        backends = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'gonogo 2%'"
        return not await self.query(f"{invalid} UNION ALL {backends}")

    async def asleep(self) -> None:
        """Wait until the script sleeps at a gate."""

        async def sleeps() -> bool:
            return bool((await self.query(SLEEPS))[0][0])

        await until(sleeps)

    @asynccontextmanager
    async def holding(self, *tables: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A session that holds these tables, until it is rolled back or the block ends."""
        async with await psycopg.AsyncConnection.connect(self.admin, application_name="nightly") as holder:
            for table in tables:
                await holder.execute(f"LOCK TABLE {self.schema}.{table}".encode())
            yield holder
