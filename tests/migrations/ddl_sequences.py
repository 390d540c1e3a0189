"""Sequences of statements that a server takes, each in a schema of its own: a small model of what is there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

TYPES = ("int", "bigint", "text", "varchar(20)", "numeric(8,2)", "timestamptz")
DEFAULTS = {
    "int": "7",
    "bigint": "8",
    "text": "'it''s'",
    "varchar(20)": "'x'",
    "numeric(8,2)": "1.5",
    "timestamptz": "now()",
}
SORTS = ("int", "bigint")

Numbers = tuple[int, int, int]
"""What a statement chooses by: which table, which column or part of it, and anything else."""


@dataclass
class Table:
    columns: dict[str, str]
    parts: dict[str, str] = field(default_factory=dict)
    """Constraints, indexes, triggers and policies by name, each with its kind."""
    views: list[str] = field(default_factory=list)
    key: bool = False


@dataclass
class World:
    schema: str
    tables: dict[str, Table] = field(default_factory=dict)
    made: int = 0

    def fresh(self, start: str) -> str:
        """A name that was never there."""
        self.made += 1
        return f'"{start} {self.made}"' if self.made % 5 == 0 else f"{start}{self.made}"

    def table(self, n: int) -> tuple[str, Table] | None:
        """One of those that are there."""
        names = list(self.tables)
        return (names[n % len(names)], self.tables[names[n % len(names)]]) if names else None


Step = Callable[[World, str, Table, int, int], Iterator[str]]


def create(world: World, n: int, m: int) -> Iterator[str]:
    """A table with some columns."""
    name = world.fresh("t")
    columns = {"id": "int", **{world.fresh("c"): TYPES[(n + i) % len(TYPES)] for i in range(m % 3)}}
    rest = [
        f"{c} {t}{' NOT NULL' * (n % 2)}{f' DEFAULT {DEFAULTS[t]}' * (m % 2)}" for c, t in columns.items() if c != "id"
    ]
    key = "id int PRIMARY KEY" if n % 3 else "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    world.tables[name] = Table(columns, key=True)
    yield f"CREATE TABLE {world.schema}.{name} ({', '.join([key, *rest])})"


def add_column(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    column, type = world.fresh("c"), TYPES[n % len(TYPES)]
    table.columns[column] = type
    default = f" DEFAULT {DEFAULTS[type]}" if m % 2 else ""
    yield f"ALTER TABLE {world.schema}.{name} ADD COLUMN {column} {type}{default}{' NOT NULL' * (m % 3 == 0)}"


def drop_column(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    if not table.views and len(table.columns) > 1:
        column = list(table.columns)[n % len(table.columns)]
        del table.columns[column]
        table.key = table.key and column != "id"
        table.parts = {}  # some of them are gone: none is spoken of any more
        yield f"ALTER TABLE {world.schema}.{name} DROP COLUMN {column} CASCADE"


def rename_column(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    column, new = list(table.columns)[n % len(table.columns)], world.fresh("c")
    if column != "id":
        table.columns = {(new if c == column else c): t for c, t in table.columns.items()}
        yield f"ALTER TABLE {world.schema}.{name} RENAME COLUMN {column} TO {new}"


def change_column(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    column = list(table.columns)[n % len(table.columns)]
    alter = f"ALTER TABLE {world.schema}.{name} ALTER {column}"
    if column != "id":
        type = table.columns[column]
        default = f"{alter} SET DEFAULT {DEFAULTS[type]}"
        yield (f"{alter} SET NOT NULL", f"{alter} DROP NOT NULL", default, f"{alter} DROP DEFAULT")[m % 4]


def change_type(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    column, type = list(table.columns)[n % len(table.columns)], TYPES[m % 4]
    if column != "id" and not table.views and not table.parts:
        table.columns[column] = type
        alter = f"ALTER TABLE {world.schema}.{name} ALTER {column}"
        yield f"{alter} DROP DEFAULT, ALTER {column} TYPE {type} USING {column}::text::{type}"


def index(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    part, column = world.fresh("i"), list(table.columns)[n % len(table.columns)]
    table.parts[part] = "index"
    where = f" WHERE {column} IS NOT NULL" * (m % 2)
    yield f"CREATE {'UNIQUE ' * (m % 3 == 0)}INDEX {part} ON {world.schema}.{name} ({column}){where}"


def constraint(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    part, column = world.fresh("k"), list(table.columns)[n % len(table.columns)]
    other = world.table(m)
    ways = [f"UNIQUE ({column})", f"CHECK ({column} IS NOT NULL)", f"CHECK ({column} IS NOT NULL) NOT VALID"]
    if other and other[1].key and table.columns[column] in SORTS:
        ways.append(f"FOREIGN KEY ({column}) REFERENCES {world.schema}.{other[0]}")
    table.parts[part] = "constraint"
    yield f"ALTER TABLE {world.schema}.{name} ADD CONSTRAINT {part} {ways[m % len(ways)]}"


def drop_part(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    if table.parts:
        part = list(table.parts)[n % len(table.parts)]
        kind = table.parts.pop(part)
        whole = f"ALTER TABLE {world.schema}.{name} DROP CONSTRAINT {part}"
        yield f"DROP INDEX {world.schema}.{part}" if kind == "index" else whole


def view(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    made, column = world.fresh("v"), list(table.columns)[n % len(table.columns)]
    table.views.append(made)
    kind = "MATERIALIZED VIEW" if m % 3 == 0 else "VIEW"
    yield f"CREATE {kind} {world.schema}.{made} AS SELECT {column} FROM {world.schema}.{name}"


def drop_table(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    del world.tables[name]
    for other in world.tables.values():
        other.parts = {}
    yield f"DROP TABLE {world.schema}.{name} CASCADE"


def rename_table(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    new = world.fresh("t")
    world.tables = {(new if t == name else t): about for t, about in world.tables.items()}
    yield f"ALTER TABLE {world.schema}.{name} RENAME TO {new}"


def dress(world: World, name: str, table: Table, n: int, m: int) -> Iterator[str]:
    whole, column = f"{world.schema}.{name}", list(table.columns)[n % len(table.columns)]
    yield (
        f"COMMENT ON TABLE {whole} IS 'no {m}'",
        f"COMMENT ON COLUMN {whole}.{column} IS 'no {m}'",
        f"GRANT SELECT ON {whole} TO PUBLIC",
        f"REVOKE ALL ON {whole} FROM PUBLIC",
        f"ALTER TABLE {whole} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {whole} SET (fillfactor = {50 + m % 40})",
    )[m % 6]


STEPS: tuple[Step, ...] = (
    *(add_column, drop_column, rename_column, change_column, change_type, index, constraint, drop_part, view),
    *(drop_table, rename_table, dress),
)


def statements(schema: str, chosen: Sequence[tuple[int, Numbers]], world: World) -> Iterator[str]:
    """What these choices come to."""
    for which, (n, m, o) in chosen:
        found = world.table(n)
        if found is None or which == 0:
            yield from create(world, m, o)
        else:
            yield from STEPS[(which - 1) % len(STEPS)](world, *found, m, o)


number = st.integers(0, 20)
choices = st.lists(st.tuples(st.integers(0, len(STEPS)), st.tuples(number, number, number)), min_size=1, max_size=7)


Chosen = Sequence[tuple[int, Numbers]]


def scripts(schema: str, before: Chosen, after: Chosen) -> tuple[str, str]:
    """What stands before, and what is to be taken back."""
    world = World(schema)
    first = [f"CREATE SCHEMA {schema}", *statements(schema, before, world)]
    return ";\n".join(first) + ";", "".join(f"{text};\n" for text in statements(schema, after, world))
