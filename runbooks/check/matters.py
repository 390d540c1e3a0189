"""What `gonogo check` looks at beside statements: each with a code, and what there is to know about it."""

from dataclasses import dataclass
from pathlib import Path

from migrations.finding import Finding, Severity
from runbooks.check.report import Remark

PRISMA = "https://www.prisma.io/docs/orm/prisma-migrate"
HISTORIES = f"{PRISMA}/understanding-prisma-migrate/migration-histories"
NO_STATEMENT = -1


@dataclass(frozen=True, slots=True)
class Matter:
    """`why` it matters, and what to do `instead`. `source`: where it is documented."""

    code: str
    title: str
    severity: Severity
    why: str
    instead: str
    source: str = HISTORIES

    def remark(
        self, path: Path, message: str, *, line: int = 1, severity: Severity | None = None, instead: str = ""
    ) -> Remark:
        """A remark of this code."""
        finding = Finding(
            rule=self.code,
            severity=severity or self.severity,
            statement=NO_STATEMENT,
            line=line,
            message=message,
            instead=instead or self.instead,
            source=self.source,
        )
        return Remark(path, finding)


EDITED = Matter(
    "migration-edited",
    "A migration was edited that databases may have applied",
    "stop",
    "A migration that is applied never runs again, so the edit reaches new databases only, and its checksum no longer "
    "matches the one in `_prisma_migrations`.",
    "Put the file back as it was, and write the change as a new migration.",
)
GONE = Matter(
    "migration-gone",
    "A migration is gone that databases may have applied",
    "warn",
    "Databases that applied it keep it in their ledger; Prisma then calls the histories different and wants a reset.",
    "Put it back; or, where the history was squashed on purpose, mark the new one as applied everywhere.",
)
RENAMED = Matter(
    "migration-renamed",
    "A migration was renamed that databases may have applied",
    "stop",
    "The ledger knows it by its old name: a database that applied that one would apply this one again.",
    "Give it its old name back.",
)
ORDER = Matter(
    "migration-out-of-order",
    "A new migration stands before one that is there already",
    "warn",
    "Databases that have the later one apply this one after it; a new one applies it before. They may end differently.",
    "Give it a time after the last one that is there.",
)
NAME = Matter(
    "migration-name",
    "The name of a migration does not follow the convention",
    "warn",
    "Migrations are applied in the order of their names; one that is off is applied when nobody expects it.",
    "Rename the folder before any database applies it.",
)
TWICE = Matter(
    "migration-stamp-twice",
    "Two migrations have one time",
    "warn",
    "Which of them is applied first depends on the rest of their names.",
    "Give the newer one a time of its own.",
)
UNTRACKED = Matter(
    "migration-untracked",
    "A migration is not in git",
    "note",
    "It is on this machine only: no pull request, no pipeline and no other database will get it.",
    "Add it: git add.",
)
WITHOUT_SCRIPT = Matter(
    "migration-without-script",
    "A migration has no migration.sql",
    "stop",
    "Prisma stops at it with P3015, before it applies anything.",
    "Add the file, or remove the folder.",
    "https://www.prisma.io/docs/orm/reference/error-reference#p3015",
)
EMPTY = Matter(
    "migration-empty",
    "A migration does nothing",
    "warn",
    "There is no statement in it; it only counts as applied, and what is added to it later never runs.",
    "Write the statements, or remove it.",
)
ENCODING = Matter(
    "file-encoding",
    "A script is not plain UTF-8",
    "stop",
    "PostgreSQL takes a byte order mark for a syntax error, cannot read UTF-16, and garbles other encodings.",
    "Save it as UTF-8 without a byte order mark.",
    "https://www.postgresql.org/docs/current/multibyte.html",
)
STRAY = Matter(
    "file-ignored",
    "A file or link in the migrations folder that is never applied",
    "warn",
    "Only real folders with a migration.sql in them are migrations. Everything else is passed over in silence.",
    "Move it into a folder of its own, as migration.sql; or out of here.",
)
LOCK = Matter(
    "lock-file",
    "migration_lock.toml is missing, or for another database",
    "stop",
    "It keeps migrations written for another database product from being applied (P3019).",
    'Commit a migration_lock.toml with provider = "postgresql".',
    "https://www.prisma.io/docs/orm/prisma-migrate/workflows/team-development",
)
VERIFY = Matter(
    "verify-sql",
    "A verify.sql that cannot be asked",
    "stop",
    "Its statements are asked once the migration is applied, in a read-only transaction; each must be a SELECT that "
    "returns one row with one boolean, which is true.",
    "Write each as a SELECT that is true if all is well: SELECT count(*) = 0 FROM orders WHERE status IS NULL;",
    "https://www.postgresql.org/docs/current/sql-select.html",
)
ROLLBACK = Matter(
    "rollback-file",
    "A rollback.sql or rollback.md that cannot be used",
    "stop",
    "It is what the operator has at hand when the migration must be undone: it cannot be read, or has nothing in it.",
    "Write what undoes the migration: as SQL in rollback.sql, in words in rollback.md, or both.",
)
SCHEMA_ALONE = Matter(
    "schema-without-migration",
    "The schema changed, and no migration is new",
    "warn",
    "The client will be generated for columns and tables that no database has.",
    "Run `prisma migrate dev --create-only`; if nothing in the database changes by it, `gonogo check --sync` says so.",
)
MIGRATION_ALONE = Matter(
    "migration-without-schema",
    "A migration makes what the schema does not show",
    "warn",
    "The next `prisma migrate dev` will take it for drift and write a migration that undoes it.",
    "Change schema.prisma in the same pull request.",
)
REPLAY = Matter(
    "replay-failed",
    "The migrations do not apply to an empty database",
    "stop",
    "`--replay` applied the whole folder to a throw-away PostgreSQL, as a new colleague or a test would.",
    "Correct the script that failed, if no database has applied it yet; else what it stands on.",
)
COMMAND = Matter(
    "command-failed",
    "The command that ran against the migrated database failed",
    "stop",
    "`--replay -- COMMAND` runs it with DATABASE_URL pointing to a database that has every migration.",
    "Read what it said.",
)
SYNC = Matter(
    "out-of-sync",
    "Schema, migrations and client do not agree",
    "stop",
    "`--sync` asked the project's own Prisma CLI.",
    "Run `prisma migrate dev`, `prisma generate`, and commit what they write.",
)

MATTERS = (
    EDITED, GONE, RENAMED, ORDER, NAME, TWICE, UNTRACKED, WITHOUT_SCRIPT, EMPTY, ENCODING, STRAY, LOCK, VERIFY,
    ROLLBACK, SCHEMA_ALONE, MIGRATION_ALONE, REPLAY, COMMAND, SYNC,
)  # fmt: skip
