"""What belongs to a database and is in no dump of it: owner, encoding, settings, grants, comment."""

import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from migrations.problem import Problem

Connection = psycopg.AsyncConnection[Any]

LISTS = frozenset(
    (
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    )
)
"""Settings whose value is a list of quoted names (GUC_LIST_QUOTE in PostgreSQL's source)."""

DATABASE = """
SELECT to_jsonb(d) - 'datacl', pg_catalog.pg_encoding_to_char(d.encoding), pg_catalog.pg_get_userbyid(d.datdba),
       t.spcname, d.datacl IS NOT NULL, s.description
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
LEFT JOIN pg_catalog.pg_shdescription s ON s.objoid = d.oid AND s.classoid = 'pg_catalog.pg_database'::regclass
WHERE d.datname = %s
"""

GRANTS = """
SELECT DISTINCT CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
       a.privilege_type, a.is_grantable
FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a WHERE d.datname = %s ORDER BY 1, 2, 3
"""

SETTINGS = """
SELECT CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole) END, setting
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
     pg_catalog.unnest(s.setconfig) setting
WHERE d.datname = %s ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Properties:
    """A database without what is in it. `grants` is None where the defaults stand; a grantee of None is PUBLIC, a
    setting's role of None is everybody."""

    oid: int
    owner: str
    encoding: str
    tablespace: str
    locale: dict[str, str]
    limit: int
    comment: str | None
    grants: frozenset[tuple[str | None, str, bool]] | None
    settings: frozenset[tuple[str | None, str]]


async def properties(connection: Connection, database: str) -> Properties | None:
    """Read them, from any database of the server. None if there is no such database."""
    row = await (await connection.execute(DATABASE, (database,))).fetchone()
    if row is None:
        return None
    columns, encoding, owner, tablespace, granted, comment = row
    grants = await (await connection.execute(GRANTS, (database,))).fetchall()
    settings = await (await connection.execute(SETTINGS, (database,))).fetchall()
    return Properties(
        oid=int(columns["oid"]),
        owner=owner,
        encoding=encoding,
        tablespace=tablespace,
        locale=_locale(columns),
        limit=columns["datconnlimit"],
        comment=comment,
        grants=frozenset(grants) if granted else None,
        settings=frozenset(settings),
    )


def _locale(columns: dict[str, Any]) -> dict[str, str]:
    """What CREATE DATABASE is told of the locale, by its own words. The columns differ between major versions."""
    options = {"LC_COLLATE": columns["datcollate"], "LC_CTYPE": columns["datctype"]}
    named = columns.get("datlocale") or columns.get("daticulocale")
    match columns.get("datlocprovider"):
        case "i":
            options |= {"LOCALE_PROVIDER": "icu", "ICU_LOCALE": named, "ICU_RULES": columns.get("daticurules")}
        case "b":
            options |= {"LOCALE_PROVIDER": "builtin", "BUILTIN_LOCALE": named}
        case "c":
            options |= {"LOCALE_PROVIDER": "libc"}
    return {key: value for key, value in options.items() if value}


def creation(name: str, like: Properties) -> sql.Composed:
    """CREATE DATABASE for an empty one of the same owner, encoding, locale and tablespace."""
    options = [sql.SQL("OWNER = {}").format(sql.Identifier(like.owner)), sql.SQL("TEMPLATE = template0")]
    options.append(sql.SQL("ENCODING = {}").format(like.encoding))
    for key, value in like.locale.items():
        form = sql.Identifier(value) if key == "LOCALE_PROVIDER" else sql.Literal(value)
        options.append(sql.SQL(key + " = {}").format(form))
    if like.tablespace != "pg_default":
        options.append(sql.SQL("TABLESPACE = {}").format(sql.Identifier(like.tablespace)))
    return sql.SQL("CREATE DATABASE {} WITH {}").format(sql.Identifier(name), sql.SQL(" ").join(options))


def statements(name: str, like: Properties) -> list[sql.Composed]:
    """What gives database `name` the settings, grants, connection limit and comment of another."""
    to = sql.Identifier(name)
    made = [_setting(to, role, setting) for role, setting in sorted(like.settings, key=str)]
    if like.grants is not None:
        for everybody in (sql.SQL("PUBLIC"), sql.Identifier(like.owner)):
            made.append(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(to, everybody))
        made += [_grant(to, *grant) for grant in sorted(like.grants, key=str)]
    if like.limit != -1:
        made.append(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(to, like.limit))
    if like.comment:
        made.append(sql.SQL("COMMENT ON DATABASE {} IS {}").format(to, like.comment))
    return made


def _setting(to: sql.Identifier, role: str | None, setting: str) -> sql.Composed:
    name, _, value = setting.partition("=")
    values: list[sql.Literal] = [sql.Literal(v) for v in (_elements(value) if name.lower() in LISTS else [value])]
    whose = sql.SQL("ALTER DATABASE {}").format(to)
    if role is not None:
        whose = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(role), to)
    return sql.SQL("{} SET {} TO {}").format(whose, sql.Identifier(name), sql.SQL(", ").join(values))


def _elements(value: str) -> list[str]:
    """The elements of `"$user", public`."""
    found = re.findall(r'"((?:[^"]|"")*)"|([^\s,"]+)', value)
    return [plain or quoted.replace('""', '"') for quoted, plain in found] or [""]


def _grant(to: sql.Identifier, role: str | None, privilege: str, grantable: bool) -> sql.Composed:
    whom = sql.SQL("PUBLIC") if role is None else sql.Identifier(role)
    tail = sql.SQL(" WITH GRANT OPTION") if grantable else sql.SQL("")
    return sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(sql.SQL(privilege), to, whom, tail)


async def carry_over(connection: Connection, source: str, to: str) -> tuple[str, ...]:
    """Give `to` what belongs to `source`. Returns the statements that the role may not run, for somebody who may.

    Raises Problem if one of the two is not there.
    """
    like = await properties(connection, source)
    if like is None:
        raise Problem(f"There is no database {source}.", advice="See what the server's databases are called now.")
    refused = []
    for statement in statements(to, like):
        try:
            await connection.execute(statement)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject):
            refused.append(statement.as_string(connection) + ";")
    return tuple(refused)
