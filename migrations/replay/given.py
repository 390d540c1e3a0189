"""What a replay starts from: who applies the scripts, and what was there before the first of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from migrations.catalog import Snapshot
from migrations.replay.needs import Needs

Connection = psycopg.AsyncConnection[Any]

OWNER = "postgres"

_FACTS = """
SELECT current_user::text, current_setting('server_version_num')::int / 10000,
       ARRAY (SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY 1),
       ARRAY (SELECT spcname::text FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_' ORDER BY 1),
       ARRAY (SELECT ARRAY[e.extname::text, n.nspname::text] FROM pg_catalog.pg_extension e
              JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY 1),
       ARRAY (SELECT collname::text FROM pg_catalog.pg_collation
              WHERE collnamespace = 'pg_catalog'::regnamespace AND collencoding IN (-1, 6) ORDER BY 1),
       current_setting('search_path')
"""
USUAL_PATH = '"$user", public'


@dataclass(frozen=True, slots=True)
class Facts:
    """What only the target knows. `extensions` are (name, schema); `collations` those that it was made with."""

    role: str
    major: int
    roles: tuple[str, ...]
    tablespaces: tuple[str, ...]
    extensions: tuple[tuple[str, str], ...]
    collations: frozenset[str]
    search_path: str


@dataclass(frozen=True, slots=True)
class Given:
    """`owner` applies the scripts. `schema` and `search_path` are the target's: where unqualified names lead.

    `roles` and `tablespaces` are made beforehand; `extensions` (name, schema) only if the scripts fail without.
    """

    owner: str = OWNER
    schema: str | None = None
    search_path: str | None = None
    roles: tuple[str, ...] = ()
    tablespaces: tuple[str, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()


async def facts(conn: Connection) -> Facts:
    """Read them from a target."""
    row = await (await conn.execute(_FACTS)).fetchone()
    assert row is not None
    role, major, roles, tablespaces, extensions, collations, path = row
    pairs = tuple((name, schema) for name, schema in extensions)
    return Facts(role, major, tuple(roles), tuple(tablespaces), pairs, frozenset(collations), path)


def given(target: Snapshot, facts: Facts, needs: Needs, texts: Sequence[str], schema: str | None) -> Given:
    """What the replay of scripts (`texts`) for this target starts from: of its roles, those whose names they hold."""
    return Given(
        owner=usual_owner(target, facts.role),
        schema=schema,
        search_path=facts.search_path if schema is None and facts.search_path != USUAL_PATH else None,
        roles=tuple(
            role for role in facts.roles if role not in needs.roles_made and any(role in text for text in texts)
        ),
        tablespaces=tuple(name for name in facts.tablespaces if name in needs.tablespaces),
        extensions=tuple(each for each in facts.extensions if each[0] not in needs.extensions),
    )


def usual_owner(target: Snapshot, role: str) -> str:
    """Whom most of the tables belong to, and so who applied the scripts; the role itself if there are none."""
    owners = Counter(target.objects[f"table {name}"]["owner"] for name in target.names("table"))
    most: Sequence[tuple[str, int]] = sorted(owners.items(), key=lambda each: (-each[1], each[0] != role, each[0]))
    found = most[0][0] if most else role
    return role if found.startswith("pg_") else found
