"""The shop's own commands, which other teams have in package.json: `./shop NAME`, in the demo's folder.

The shop has no Prisma and no build: what they would do is said.
"""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from migrations.folder import read_folder
from runbooks.demo.applying import apply_all
from runbooks.demo.control import tell

MIGRATIONS = Path("prisma") / "migrations"
SAID = {
    "backfill": "every customer has a tier: nothing to fill",
    "build": "built",
    "check": "schema, migrations and client are in sync",
    "commit": "migration and schema are committed together",
    "create": "the schema has not changed since the last migration: nothing to create",
    "flag-off": "the flag shipments is off",
    "flag-on": "the flag shipments is on",
    "format": "the schema is formatted",
    "generate": "the client is generated",
    "infrastructure": "the database is up, and so is the app",
    "preflight": "the database is there; nothing else to say",
    "seed": "the shop has its first products",
    "snapshot": "snapshot snap-0a1b2c3d is taken",
    "status": "Database schema is up to date!",
    "test": "12 passed",
    "typecheck": "no errors",
    "validate": "the schema is valid",
}


def backup() -> str:
    """What cron runs each night, too. The variables that lead pg_dump are in the environment."""
    file = Path("backups") / f"{datetime.now(UTC):%Y%m%d_%H%M%S}.dump"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["pg_dump", "--format=custom", f"--file={file}"], check=True)
    file.chmod(0o600)
    return f"backup written to {file}"


def apply() -> str:
    """What `prisma migrate dev` does once the migration is written."""
    url = os.environ[f"SHOP_{os.environ['GONOGO_ENVIRONMENT'].upper()}_URL"]
    applied = asyncio.run(apply_all(url, read_folder(MIGRATIONS)))
    return f"applied {', '.join(applied) or 'nothing'}"


def walk(app: str) -> str:
    """From signing in to finding one's order, as a customer does it."""
    token = _ask(f"{app}/sessions", body={"password": os.environ["SMOKE_PASSWORD"]})["token"]
    number = _ask(f"{app}/orders", token=token, body={"customer": 1, "product": 1})["id"]
    assert _ask(f"{app}/orders/{number}", token=token)["status"] == "open"
    assert number in [order["id"] for order in _ask(f"{app}/orders", token=token)["orders"]]
    return f"signed in, ordered, and found order {number}"


def _ask(url: str, *, token: str = "", body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.load(answer))


def main() -> None:
    match sys.argv[1:]:
        case ["backup"]:
            said = backup()
        case ["apply"]:
            said = apply()
        case ["e2e", app]:
            said = walk(app)
        case [("deploy" | "release" | "pause" | "resume"), *_] as words:
            said = tell(" ".join(words))
        case [name] if name in SAID:
            said = SAID[name]
        case words:
            sys.exit(f"the shop has no command {' '.join(words)}")
    sys.stdout.write(f"{said}\n")
    sys.exit(1 if said.startswith("failed") else 0)


if __name__ == "__main__":
    main()
