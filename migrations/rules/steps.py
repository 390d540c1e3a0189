"""Changes of a table in steps that keep nobody waiting for long, as SQL ready to be copied."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrations.sql import Name
from migrations.sql import actions as a
from migrations.sql.definitions import ConstraintSql
from migrations.sql.names import quoted

BATCH = 10_000
LONGEST = 63
"""Bytes of a name that PostgreSQL keeps."""

NEXT = "In the next migration"
ALONE = "In a migration of its own"
AGAIN = "In the next migration, again and again until it changes no row"

_PROOF = "is_not_null"
_ENDINGS = {"unique": "key", "primary key": "pkey", "foreign key": "fkey", "check": "check", "exclude": "excl"}


@dataclass(frozen=True, slots=True)
class Step:
    """Statements of one migration. `when` says how it follows on the one before."""

    statements: tuple[str, ...]
    when: str = NEXT


def written(steps: Iterable[Step]) -> str:
    """The steps as one text, with a comment where a migration ends and the next one begins.

    Empty where a constant or a name in them holds control codes: what is copied must be what is shown.
    """
    lines: list[str] = []
    for step in steps:
        lines += [f"-- {step.when}:"] * (bool(lines) or step.when == ALONE)
        lines += (f"{statement};" for statement in step.statements)
    text = "\n".join(lines)
    return text if text.replace("\n", "").replace("\t", "").isprintable() else ""


def made_name(*parts: str, ending: str) -> str:
    """A name like those that PostgreSQL makes up, no longer than it may be."""
    room = LONGEST - len(ending.encode()) - 1
    return "_".join(parts).encode()[:room].decode(errors="ignore") + f"_{ending}"


def in_one(*statements: str, when: str = NEXT) -> str:
    """The statements of one migration. Empty if one of them is."""
    return written([Step(statements, when)]) if all(statements) else ""


def constraint_name(table: Name, constraint: a.Constraint, sql: ConstraintSql) -> str:
    """The name of a constraint, or the one that PostgreSQL would most likely give to it."""
    return constraint.name or made_name(table.name, *sql.names, ending=_ENDINGS[constraint.kind])


def proof_name(columns: Sequence[str]) -> str:
    """What a CHECK is called that proves for a while that columns hold no null."""
    return made_name(*columns, ending=_PROOF)


def is_proof(name: str) -> bool:
    """Whether a constraint is called so."""
    return name.endswith(f"_{_PROOF}")


def never_null(table: Name, columns: Sequence[str], *then: str) -> Iterator[Step]:
    """Proves that columns hold no null; `then` stands where that is believed without another look."""
    check = quoted(proof_name(columns))
    condition = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    yield Step((f"ALTER TABLE {table.sql} ADD CONSTRAINT {check} CHECK ({condition}) NOT VALID",))
    yield Step((f"ALTER TABLE {table.sql} VALIDATE CONSTRAINT {check}",))
    yield Step((*then, f"ALTER TABLE {table.sql} DROP CONSTRAINT {check}"))


def set_not_null(table: Name, *columns: str) -> Iterator[Step]:
    """SET NOT NULL of columns that are there."""
    parts = ", ".join(f"ALTER COLUMN {quoted(column)} SET NOT NULL" for column in columns)
    return never_null(table, columns, f"ALTER TABLE {table.sql} {parts}")


def checked_later(table: Name, constraint: a.Constraint, sql: ConstraintSql) -> Iterator[Step]:
    """A CHECK or foreign key: at first for new rows only."""
    name = quoted(constraint_name(table, constraint, sql))
    if constraint.not_valid:
        yield Step((f"ALTER TABLE {table.sql} ADD CONSTRAINT {name} {sql.text}",))
    elif sql.text:
        yield Step((f"ALTER TABLE {table.sql} ADD CONSTRAINT {name} {sql.text} NOT VALID",))
        yield Step((f"ALTER TABLE {table.sql} VALIDATE CONSTRAINT {name}",))


def with_index(table: Name, constraint: a.Constraint, sql: ConstraintSql, *, replaces: bool = False) -> Iterator[Step]:
    """UNIQUE or PRIMARY KEY, with an index that was built before. `replaces`: one of its name goes at the same time."""
    if not sql.index:
        return
    name = constraint_name(table, constraint, sql)
    index = made_name(name, ending="new") if replaces else name
    yield Step((f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(index)} ON {table.sql} {sql.index}",), ALONE)
    drop = f"DROP CONSTRAINT {quoted(name)}, " if replaces else ""
    add = (
        f"ALTER TABLE {table.sql} {drop}ADD CONSTRAINT {quoted(name)} {constraint.kind.upper()} "
        f"USING INDEX {quoted(index)}{sql.timing}"
    )
    if constraint.kind == "primary key":
        yield from never_null(table, constraint.columns, add)
    else:
        yield Step((add,))


def key_of_index(table: Name, key: a.Constraint, index: str, columns: Sequence[str]) -> str:
    """A PRIMARY KEY of an index that is there, with these columns; empty if they are not known."""
    add = f"ALTER TABLE {table.sql} ADD CONSTRAINT {quoted(key.name or index)} PRIMARY KEY USING INDEX {quoted(index)}"
    return written(never_null(table, columns, add)) if columns else ""


def kept_as_view(change: str, old: Name, new: Name) -> str:
    """A change of a table's name, with a view under the old one."""
    return written([Step((change, f"CREATE VIEW {old.sql} AS SELECT * FROM {new.sql}"))])


def by_partitions(table: Name) -> str:
    """In words, an index of a partitioned table, which has no CONCURRENTLY."""
    return (
        f"CREATE INDEX … ON ONLY {table}; the same CONCURRENTLY on each partition, in migrations of their own; then "
        "ALTER INDEX … ATTACH PARTITION for each."
    )


def deleted(table: Name, *, only: bool = False) -> str:
    """The rows of a table copied, and then deleted batch by batch."""
    kept = Name(table.schema, made_name(table.name, ending="kept"))
    whole = f"{'ONLY ' * only}{table.sql}"
    batch = f"ctid = ANY (ARRAY(SELECT ctid FROM {whole} LIMIT {BATCH}))"
    copy = Step((f"CREATE TABLE {kept.sql} AS SELECT * FROM {whole}",))
    return written([copy, Step((f"DELETE FROM {whole} WHERE {batch}",), AGAIN)])


def filled(table: Name, column: str, value: str = "DEFAULT", also: str = "", when: str = AGAIN) -> Step:
    """Gives a value to a column, batch by batch, wherever it is null."""
    missing = f"{quoted(column)} IS NULL" + (f" AND {also}" if also else "")
    batch = f"ctid = ANY (ARRAY(SELECT ctid FROM {table.sql} WHERE {missing} LIMIT {BATCH}))"
    return Step((f"UPDATE {table.sql} SET {quoted(column)} = {value} WHERE {missing} AND {batch}",), when)
