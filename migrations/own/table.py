"""A table of gonogo's own in the target: rows are only added. In a schema of its own.

Never in a schema that Prisma looks at: it would count for P3005, and for drift.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]

MAKE_SCHEMA = "CREATE SCHEMA gonogo"
MAKE_FUNCTION = """
CREATE FUNCTION gonogo.only_appended() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'gonogo.% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END$$
"""
# to_regclass() is refused to a role that may not look into the schema.
_SCHEMA = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'gonogo')"
_FUNCTION = f"(SELECT oid FROM pg_catalog.pg_proc WHERE proname = 'only_appended' AND pronamespace = {_SCHEMA})"
_MISSING = f"SELECT {_SCHEMA} IS NULL, {_FUNCTION} IS NULL"


@dataclass(frozen=True, slots=True)
class Rights:
    """Whether the table is there, and this role may add to it; or else, whether it may make it.

    `grant` is what an administrator would run where it may not.
    """

    there: bool
    writes: bool
    makes: bool
    role: str
    grant: str

    @property
    def enough(self) -> bool:
        """It can be written, once it is made."""
        return self.writes if self.there else self.makes


@dataclass(frozen=True, slots=True)
class OwnTable:
    """`gonogo.NAME`: what it is made of. `more` is run after it: a view over it."""

    name: str
    columns: str
    comment: str
    more: str = ""

    @property
    def _oid(self) -> str:
        return f"(SELECT oid FROM pg_catalog.pg_class WHERE relname = '{self.name}' AND relnamespace = {_SCHEMA})"

    async def is_there(self, conn: Connection) -> bool:
        """Raises psycopg.Error."""
        row = await (await conn.execute(f"SELECT {self._oid} IS NOT NULL".encode())).fetchone()
        return row is not None and bool(row[0])

    async def rights(self, conn: Connection) -> Rights:
        """What this role may. Raises psycopg.Error."""
        asked = f"""
            SELECT {self._oid} IS NOT NULL, {_SCHEMA} IS NOT NULL,
                   coalesce(pg_catalog.has_table_privilege({self._oid}, 'INSERT')
                            AND pg_catalog.has_table_privilege({self._oid}, 'SELECT')
                            AND pg_catalog.has_schema_privilege({_SCHEMA}, 'USAGE'), false),
                   coalesce(pg_catalog.has_schema_privilege({_SCHEMA}, 'CREATE')
                            AND pg_catalog.has_schema_privilege({_SCHEMA}, 'USAGE'),
                            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')),
                   pg_catalog.format('%I', current_user), pg_catalog.format('%I', pg_catalog.current_database())
        """
        row = await (await conn.execute(asked.encode())).fetchone()
        assert row is not None
        there, schema, writes, makes, role, database = row
        if there:
            all_tables = "GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA gonogo"
            grant = f"GRANT USAGE ON SCHEMA gonogo TO {role}; {all_tables} TO {role};"
        else:
            grant = f"GRANT CREATE{', USAGE ON SCHEMA gonogo' if schema else f' ON DATABASE {database}'} TO {role};"
        return Rights(there, writes, makes, role, grant)

    async def make(self, conn: Connection) -> None:
        """Make it where it is missing, and the schema. Raises psycopg.Error.

        A role may have the schema, and no right to make one: then IF NOT EXISTS would not help it.
        """
        if await self.is_there(conn):
            return
        async with conn.transaction():
            row = await (await conn.execute(_MISSING.encode())).fetchone()
            assert row is not None
            for missing, statement in zip(row, (MAKE_SCHEMA, MAKE_FUNCTION), strict=True):
                if missing:
                    await conn.execute(statement.encode())
            await conn.execute(self._definition().encode())

    def _definition(self) -> str:
        return f"""
            CREATE TABLE gonogo.{self.name} ({self.columns});
            CREATE TRIGGER only_appended BEFORE UPDATE OR DELETE OR TRUNCATE ON gonogo.{self.name}
                FOR EACH STATEMENT EXECUTE FUNCTION gonogo.only_appended();
            ALTER TABLE gonogo.{self.name} ENABLE ALWAYS TRIGGER only_appended;
            COMMENT ON TABLE gonogo.{self.name} IS '{self.comment}';
            {self.more}
        """
