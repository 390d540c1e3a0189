"""The address that Prisma gets, and whether it says that it goes there."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from migrations.prisma.said import Datasource
from migrations.target import Url

AUTHORITY = re.compile(r"[^:]*://(?:[^/?#]*@)?([^/?#]*)")
PORT = re.compile(r"(.*?)(?::([0-9]*))?")
DEFAULT_PORT = "5432"
QUIET = {
    "CI": "1",
    "NO_COLOR": "1",
    "CHECKPOINT_DISABLE": "1",
    "PRISMA_HIDE_UPDATE_MESSAGE": "1",
    "NO_UPDATE_NOTIFIER": "1",
    "npm_config_update_notifier": "false",
    "npm_config_fund": "false",
    "npm_config_offline": "true",
    "YARN_ENABLE_NETWORK": "0",
}
"""No colours, no questions, no news; and nothing that is missing is fetched."""
TAKEN_OUT = frozenset({"FORCE_COLOR", "DEBUG", "PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK"})
"""Colours, talk that holds addresses, and what would let two runs at one database."""


def environment(base: Mapping[str, str], addresses: Sequence[str], name: str) -> dict[str, str]:
    """What Prisma's command gets: `base`, and in the variables of `addresses` the name that its sessions bear."""
    named = {variable: with_name(base[variable], name) for variable in addresses if variable in base}
    return {**{key: value for key, value in base.items() if key not in TAKEN_OUT}, **named, **QUIET}


def with_name(url: str, name: str) -> str:
    """The address with an application_name, by which the server tells whose sessions these are."""
    head, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] != "application_name"]
    return f"{head}?{'&'.join([*kept, f'application_name={quote(name)}'])}"


def differs(said: Datasource, url: Url) -> str:
    """Why what Prisma says is not where `url` leads, in words; empty if it is. Prisma shows an address as written."""
    if said.product != "PostgreSQL":
        return f"it goes to {said.product}"
    if unquote(said.database) != url.database:
        return f"it goes to the database {said.database or 'without a name'}, not to {url.database}"
    wanted = url.schema or "public"
    if said.schemas and wanted not in said.schemas.split(", "):
        return f"it keeps its ledger in the schema {said.schemas}, not in {wanted}"
    if not said.adapter and _place(said.at) != _place(_authority(url)):
        return f"it goes to {said.at or 'a server without a name'}, not to {_authority(url)}"
    return ""


def _authority(url: Url) -> str:
    """Host and port as they stand in the address: `?host=` is not in it, as Prisma does not show it."""
    found = AUTHORITY.match(url.text.get_secret_value())
    return found[1] if found else ""


def _place(written: str) -> tuple[str, str]:
    found = PORT.fullmatch(written.removeprefix("unix:"))
    host, port = (found[1], found[2]) if found else (written, "")
    return unquote(host).strip("[]").casefold(), port or DEFAULT_PORT
