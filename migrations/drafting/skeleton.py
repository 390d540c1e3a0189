"""What a new migration begins with: comments that say how it will run, and examples to take or to delete."""

from textwrap import wrap

WIDTH = 100

HOW = (
    "One idea: what has to come and go together. Anything else is easier to take back from a migration of its own.",
    "gonogo runs all of it in one transaction, sets lock_timeout, gives way to others that wait and tries again: no "
    "BEGIN and no SET lock_timeout is needed. Another tool waits for its locks without an end unless the script begins "
    "with SET lock_timeout = '5s';",
    "What must be true afterwards can stand beside this file in verify.sql, each a SELECT of one boolean.",
)

EXAMPLES = (
    (
        "A column. IF NOT EXISTS helps a script that ended halfway to run again, as it can with Prisma from 7.4 on, "
        "which commits each statement by itself; gonogo does not need it. It asks for the name alone: a column of "
        "another type that is there already stays as it is, silently.",
        'ALTER TABLE "orders" ADD COLUMN IF NOT EXISTS "note" text;',
    ),
    (
        "A table. As above: IF NOT EXISTS asks for the name, and never looks at the columns.",
        'CREATE TABLE IF NOT EXISTS "order_notes" ("id" bigint PRIMARY KEY, "text" text NOT NULL);',
    ),
    (
        "An index of a table that is in use: in a migration of its own, as CONCURRENTLY runs in no transaction. Never "
        "IF NOT EXISTS: a build that failed leaves an INVALID index of that name, which would be kept silently.",
        'CREATE INDEX CONCURRENTLY "orders_note_idx" ON "orders" ("note");',
    ),
)
"""What it is and when to guard it, and the statement."""


def skeleton(name: str) -> str:
    """The script of a new migration: no statement yet."""
    paragraphs = [[f"-- {name}"], *map(_comment, HOW)]
    paragraphs += [[*_comment(words), f"-- {statement}"] for words, statement in EXAMPLES]
    return "\n--\n".join("\n".join(lines) for lines in paragraphs) + "\n"


def _comment(words: str) -> list[str]:
    return [f"-- {line}" for line in wrap(words, WIDTH)]
