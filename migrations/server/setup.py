"""Makes roles and databases on a throw-away server."""

import psycopg
from psycopg import sql

from migrations.target import Connection

GRANTED = ("pg_read_all_stats", "pg_signal_backend")
"""What a migrating role should have beyond its own tables: to see who waits, and to end sessions for a restore."""


async def create_role(url: str, role: str, password: str) -> None:
    """A role as a team's migrations would run under: no superuser, may create databases, may mark them (from 15)."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        create = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
        await connection.execute(create.format(sql.Identifier(role), sql.Literal(password)))
        for granted in GRANTED:
            await connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(granted), sql.Identifier(role)))
        # A restore makes a new database, which must carry the mark of the old one.
        mark = sql.SQL("GRANT SET ON PARAMETER gonogo.environment TO {}")
        await connection.execute(mark.format(sql.Identifier(role)))


async def create_group(url: str, role: str) -> None:
    """A role that nobody logs in as: for what scripts grant to."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


async def create_database(url: str, name: str, *, owner: str, template: str = "template0") -> None:
    """A database; `template` may be a filled one that nobody is connected to."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        await connection.execute(create.format(*map(sql.Identifier, (name, owner, template))))


async def mark_database(url: str, name: str, environment: str) -> None:
    """Write into the database which environment it is, as a superuser."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        alter = sql.SQL("ALTER DATABASE {} SET gonogo.environment = {}")
        await connection.execute(alter.format(sql.Identifier(name), sql.Literal(environment)))


async def allow_restore_points(url: str, role: str) -> None:
    """Let a role name points in the log to recover to, in the database of this address."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        grant = sql.SQL("GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO {}")
        await connection.execute(grant.format(sql.Identifier(role)))


async def run_script(connection: Connection, text: str) -> None:
    """Send a script as one simple query, as Prisma up to 7.3 does."""
    await connection.execute(text.encode())
