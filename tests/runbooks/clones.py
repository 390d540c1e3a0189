"""A clone of a project as a developer has it: a real git work tree with Prisma's folders in it."""

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks.check import Asked, Check, Report

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
INIT = "20240101000000_init"
SCHEMA = """datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

model User {
  id    Int    @id @default(autoincrement())
  email String @unique // where the mails go
  posts Post[]
}

model Post {
  id       Int  @id
  author   User @relation(fields: [authorId], references: [id])
  authorId Int
}
"""


class Clone:
    """A work tree with one migration, a schema and a lock file, all on branch `main`."""

    def __init__(self, top: Path) -> None:
        self.top = top.resolve()
        self.folder = self.top / "prisma" / "migrations"
        self.git("init", "--quiet", "--initial-branch=main", ".")
        self.write("prisma/schema.prisma", SCHEMA)
        self.write("prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n')
        self.script(INIT, 'CREATE TABLE "User" (id int);\n')
        self.commit("init")

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git as somebody, and return what it said."""
        self.top.mkdir(parents=True, exist_ok=True)
        who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "init.defaultBranch=main")
        done = subprocess.run(
            ["git", *who, *words], cwd=cwd or self.top, check=True, capture_output=True, text=True, env=_env()
        )
        return done.stdout

    def commit(self, message: str = "more") -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def script(self, name: str, content: str | bytes = "SELECT 1;\n") -> Path:
        """Write a migration."""
        return self.write(f"prisma/migrations/{name}/migration.sql", content)

    def check(self, *paths: Path, environ: Mapping[str, str] | None = None, **asked: Any) -> Report:
        """Check it, as of NOW."""
        asked.setdefault("folder", self.folder)
        return Check(Asked(now=NOW, environ=os.environ if environ is None else environ, paths=paths, **asked)).report()


def _env() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def said(report: Report) -> dict[str, list[str]]:
    """The open remarks: for each code, `FILE:LINE: message` with files relative to the migrations' parent."""
    found: dict[str, list[str]] = {}
    for remark in report.open:
        name = "/".join(remark.path.parts[-2:])
        found.setdefault(remark.code, []).append(f"{name}:{remark.finding.line}: {remark.finding.message}")
    return found
