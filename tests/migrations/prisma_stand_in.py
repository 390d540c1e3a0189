"""Speaks like Prisma's CLI 6: output, codes, ledger, lock. `STAND_IN` in its environment names what goes wrong.

Run as a program by the tests, installed as `node_modules/.bin/prisma`; see `install`.
"""

import hashlib
import json
import os
import re
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import psycopg

LOCK = 72707369
VERSION = "6.19.3"
TABLE = """CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL,
finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)"""
START = (
    "INSERT INTO _prisma_migrations (id, checksum, started_at, migration_name) VALUES (%s, %s, clock_timestamp(), %s)"
)
FINISH = "UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = %s"
SCHEMA = 'datasource db {\n  url = env("DATABASE_URL")\n}'
WRONG = os.environ.get("STAND_IN", "").split()


def install(folder: Path) -> Path:
    """Put it where npm would put Prisma's program."""
    program = folder / "node_modules" / ".bin" / "prisma"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!{sys.executable} -P\n{Path(__file__).read_text()}")
    program.chmod(0o755)
    return program


def say(text: str) -> None:
    print(text, flush=True)


def fail(code: str, text: str, *, one_line: bool = False) -> None:
    print(f"Error: {code}: {text}" if one_line else f"Error: {code}\n\n{text}\n", file=sys.stderr, flush=True)
    sys.exit(1)


def option(name: str) -> Path | None:
    return Path(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else None


def places() -> tuple[Path, str]:
    """The migrations folder and the schema's text, as `--schema`, `--config` or the defaults say."""
    config, schema = option("--config"), option("--schema")
    if "prisma.config.ts" in str(config):
        print(f"Loaded Prisma config from {os.path.relpath(config)}.\n", file=sys.stderr, flush=True)
    if {"own-folder-silently", f"own-folder-at-{sys.argv[2]}"} & set(WRONG):
        told = schema if "own-folder-silently" in WRONG else Path("prisma/schema.prisma")
        say(f"Prisma schema loaded from {os.path.relpath(told)}")
        time.sleep(0 if "own-folder-silently" in WRONG else 60)
        return Path("prisma/migrations"), SCHEMA
    say(f"Prisma schema loaded from {os.path.relpath(schema or 'prisma/schema.prisma')}")
    if config is not None:
        named = re.search(r'path: ("(?:[^"\\]|\\.)*") \}', config.read_text())
        return Path(json.loads(named[1])), SCHEMA
    schema = schema or Path("prisma/schema.prisma")
    files = sorted(schema.rglob("*.prisma")) if schema.is_dir() else [schema]
    holder = next(file for file in files if "datasource" in file.read_text())
    return holder.parent / "migrations", holder.read_text()


def address(schema: str) -> str:
    url = os.environ[re.search(r'env\("(\w+)"\)', schema)[1]]
    parts = urlsplit(url)
    at = parts.netloc.rpartition("@")[2]
    if {"another-host", f"another-host-at-{sys.argv[2]}"} & set(WRONG):
        at = "db.elsewhere.example:5432"
    where = 'using driver adapter "@prisma/adapter-pg"' if "adapter" in WRONG else f'at "{at}"'
    say(f'Datasource "db": PostgreSQL database "{parts.path[1:]}", schema "public" {where}\n')
    if "another-host-at-deploy" in WRONG and sys.argv[2] == "deploy":
        time.sleep(60)
    if "prints-the-password" in WRONG:
        say(f"connecting to {url}")
    if "P1001" in WRONG:
        fail("P1001", f"Can't reach database server at `{at}`", one_line=True)
    return url


def ledger(conn: "psycopg.Connection") -> dict[str, tuple[bool, bool]]:
    """By name: finished, rolled back; of the latest row. Empty, and no table, if there is none."""
    rows = conn.execute(
        "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL FROM _prisma_migrations"
        " ORDER BY started_at"
    )
    return {name: (finished, rolled_back) for name, finished, rolled_back in rows}


def has_ledger(conn: "psycopg.Connection") -> bool:
    return conn.execute("SELECT to_regclass('_prisma_migrations')").fetchone() != (None,)


def names(folder: Path) -> list[str]:
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    say(f"{len(found)} migrations found in prisma/migrations" if found else "No migration found in prisma/migrations")
    return found


def talk(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def status(conn: "psycopg.Connection", folder: Path) -> None:
    time.sleep(0.3 if "adapter" in WRONG else 0)
    found, rows = names(folder), ledger(conn) if has_ledger(conn) else {}
    open_ones = [name for name in found if name not in rows]
    unknown = [name for name in rows if name not in found]
    if open_ones and unknown:
        talk("Your local migration history and the migrations table from your database are different:\n")
        talk("\n".join(["The migrations have not yet been applied:", *open_ones, ""]))
        talk("\n".join(["The migrations from the database are not found locally:", *unknown]))
        sys.exit(1)
    if open_ones:
        say("\n".join(["Following migrations have not yet been applied:", *open_ones, ""]))
        say("To apply migrations in production run prisma migrate deploy.")
        sys.exit(1)
    say("\nDatabase schema is up to date!")


def deploy(conn: "psycopg.Connection", folder: Path) -> None:
    found = names(folder)
    if "ignores-sigterm" in WRONG:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "edits-the-copy" in WRONG:
        script = folder / found[0] / "migration.sql"
        script.chmod(0o600)
        script.write_text("SELECT 1;")
    if not conn.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()[0]:
        fail("P1002", "The database server was reached but timed out.\n\nContext: Timed out trying to acquire a lock.")
    if not has_ledger(conn):
        conn.execute(TABLE)
    rows = ledger(conn)
    if "P3009" in WRONG:
        conn.execute(START, (str(uuid.uuid4()), "x", "0_other"))
        rows = ledger(conn)
    for name, (finished, rolled_back) in rows.items():
        if not finished and not rolled_back:
            fail("P3009", f"migrate found failed migrations in the target database\nThe `{name}` migration failed")
    done = [name for name in found if name not in rows or rows[name][1]]
    for name in done:
        apply(conn, name, (folder / name / "migration.sql").read_text())
    say("\nThe following migration(s) have been applied:\n\nmigrations/" if done else "No pending migrations to apply.")
    say("".join(f"  └─ {name}/\n    └─ migration.sql\n" for name in done))
    if "edits-a-row" in WRONG:
        conn.execute("UPDATE _prisma_migrations SET checksum = 'x' WHERE migration_name = %s", (found[0],))
    if "forgets-its-rows" in WRONG:
        conn.execute("DELETE FROM _prisma_migrations")


def apply(conn: "psycopg.Connection", name: str, text: str) -> None:
    import psycopg

    id = str(uuid.uuid4())
    conn.execute(START, (id, hashlib.sha256(text.encode()).hexdigest(), name))
    try:
        if "dies-halfway" in WRONG:
            conn.execute(text.partition(";")[0])
            os.kill(os.getpid(), signal.SIGKILL)
        conn.execute(text)
    except psycopg.Error as error:
        diag = error.diag
        detail = f"\nDETAIL: {diag.message_detail}" if diag.message_detail else ""
        words = f"ERROR: {diag.message_primary}{detail}"
        conn.execute("UPDATE _prisma_migrations SET logs = %s WHERE id = %s", (words, id))
        quoted = f'DbError {{ code: SqlState(E{diag.sqlstate}), detail: Some("{diag.message_detail}") }}'
        head = "A migration failed to apply. New migrations cannot be applied before the error is recovered from."
        code = f"Database error code: {diag.sqlstate}"
        fail("P3018", f"{head}\n\nMigration name: {name}\n\n{code}\n\nDatabase error:\n{words}\n\n{quoted}")
    conn.execute(FINISH, (id,))


def diff() -> None:
    """From the database to the schema; what it prints stands in `STAND_IN_DIFF`."""
    options = {
        "6": ("--from-schema-datasource", "--to-schema-datamodel"),
        "7": ("--from-config-datasource", "--to-schema"),
    }
    for wanted in (*options[os.environ.get("STAND_IN_VERSION", VERSION)[0]], "--script", "--exit-code"):
        if wanted not in sys.argv:
            fail("", f"`{wanted}` is missing")
    if "diff-breaks" in WRONG:
        print("Error: \nPassing the --from-schema-datasource flag is not supported with an adapter.", file=sys.stderr)
        sys.exit(1)
    if "says-nothing" in WRONG:
        return
    script = os.environ.get("STAND_IN_DIFF", "")
    say(f"{script or '-- This is an empty migration.'}\n")
    sys.exit(2 if script else 0)


def main() -> None:
    if "--version" in sys.argv:
        say(f"prisma                  : {os.environ.get('STAND_IN_VERSION', VERSION)}\n@prisma/client          : 6.0.0")
        return
    if "diff" in sys.argv:
        return diff()
    import psycopg

    folder, schema = places()
    url = address(schema)
    url = os.environ.get("STAND_IN_GOES_TO", url)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        (status if "status" in sys.argv else deploy)(conn, folder)


if __name__ == "__main__":
    main()
