"""What a script makes, wherever in it: to be looked up from any of its statements."""

from collections.abc import Iterator

from migrations.sql import actions as a
from migrations.sql.actions import Action
from migrations.sql.names import Name
from migrations.sql.script import Script

Key = tuple[str, str]

READ = ("table", "view", "materialized view", "foreign table")
"""What an app can select from."""

_UNIQUE = ("unique", "primary key")


class Made:
    """Indexes, constraints, types of columns, and names that are given anew."""

    def __init__(self, script: Script) -> None:
        self._indexes: dict[Key, list[tuple[str, ...]]] = {}
        self._index_columns: dict[Key, tuple[str, ...]] = {}
        self._constraints: dict[tuple[Key, str], a.Constraint] = {}
        self._types: dict[tuple[Key, str], list[tuple[int, str]]] = {}
        self._checked_domains: set[str] = set()
        self._last_viewed: dict[Key, int] = {}
        self._last_named: dict[Key, int] = {}
        self._schemas: set[str] = set()
        self._added_columns: dict[Key, dict[str, a.Column]] = {}
        self._dropped_columns: dict[Key, list[str]] = {}
        self._given_names: set[tuple[Key, str]] = set()
        self._dropped_tables: set[Key] = set()
        self._dropped_constraints: dict[Key, list[str]] = {}
        self.renamed_constraints: list[tuple[Name, str]] = []
        for statement in script.statements:
            for action in statement.actions:
                self._note_columns(statement.index, action)
                self._note_indexes(action)
                self._note_name(statement.index, action)
                self._note_end(action)

    def has_index_on(self, table: Name, columns: tuple[str, ...]) -> bool:
        """The script makes an index that starts with these columns, in any order."""
        found = self._indexes.get(table.key, ())
        return any(set(columns) == set(index[: len(columns)]) for index in found)

    def index_columns(self, table: Name, index: str) -> tuple[str, ...]:
        """The columns of an index that the script makes; none if it does not."""
        return self._index_columns.get(Name(table.schema, index).key, ())

    def constraint(self, table: Name, name: str) -> a.Constraint | None:
        """The constraint of that name, if the script makes it."""
        return self._constraints.get((table.key, name))

    def type_of(self, table: Name, column: str, before: int) -> str | None:
        """The type that the script has given to a column before a statement; None if it has not."""
        given = self._types.get((table.key, column), ())
        return next((type for index, type in reversed(given) if index < before), None)

    def added_column(self, table: Name, name: str) -> a.Column | None:
        """The column of that name, if the script adds it to the table, somewhere."""
        return self._added_columns.get(table.key, {}).get(name)

    def dropped_columns(self, table: Name) -> tuple[str, ...]:
        """All columns that the script drops from the table."""
        return tuple(self._dropped_columns.get(table.key, ()))

    def is_checked_domain(self, type: str) -> bool:
        """The type is a domain that the script makes, with a check on its values."""
        return type in self._checked_domains

    def is_schema(self, name: str) -> bool:
        """The script makes a schema of that name."""
        return name in self._schemas

    def is_viewed_later(self, name: Name, after: int) -> bool:
        """A statement after that one makes a view of this name."""
        return self._last_viewed.get(name.key, -1) > after

    def is_named_again(self, name: Name, after: int) -> bool:
        """A statement after that one gives this name to a table or view, new or not."""
        return self._last_named.get(name.key, -1) > after or self.is_viewed_later(name, after)

    def is_column_renamed_to(self, table: Name, name: str) -> bool:
        """The script gives a column of the table this name, somewhere: values are copied before that, as a rule."""
        return (table.key, name) in self._given_names

    def drops_table(self, table: Name) -> bool:
        """The script drops the table, somewhere."""
        return table.key in self._dropped_tables

    def dropped_constraints(self, table: Name) -> tuple[str, ...]:
        """All constraints that the script drops from the table."""
        return tuple(self._dropped_constraints.get(table.key, ()))

    def _note_columns(self, index: int, action: Action) -> None:
        match action:
            case a.AddColumn(table=table, column=column):
                self._types.setdefault((table.key, column.name), []).append((index, column.type))
                self._added_columns.setdefault(table.key, {})[column.name] = column
            case a.AlterType(table=table, column=name, type=type):
                self._types.setdefault((table.key, name), []).append((index, type))
            case a.Create(kind="schema", name=schema):
                self._schemas.add(schema.name)
            case a.Create(kind="domain", name=domain, checked=True):
                names = (Name(domain.schema or "public", domain.name), domain._replace(schema=None))
                self._checked_domains |= {str(name) for name in names}

    def _note_indexes(self, action: Action) -> None:
        match action:
            case a.CreateIndex(table=table, index=index, columns=columns):
                if not action.partial:
                    self._indexes.setdefault(table.key, []).append(columns)
                if index:
                    self._index_columns[index.key] = columns
            case _:
                for table, constraint in constraints_of(action):
                    if constraint.kind in _UNIQUE:
                        self._indexes.setdefault(table.key, []).append(constraint.columns)
                    if constraint.name:
                        self._constraints[table.key, constraint.name] = constraint

    def _note_name(self, index: int, action: Action) -> None:
        match action:
            case a.Create(kind="view" | "materialized view", name=name):
                self._last_viewed[name.key] = index
            case a.CreateTable(table=name):
                self._last_named[name.key] = index
            case a.Rename(kind=kind, old=None, table=table, new=new) if kind in READ:
                self._last_named[Name(table.schema, new).key] = index
            case a.MoveToSchema(kind=kind, name=old, schema=schema) if kind in READ:
                self._last_named[schema, old.name] = index

    def _note_end(self, action: Action) -> None:
        match action:
            case a.Drop(kind="table", name=table):
                self._dropped_tables.add(table.key)
            case a.DropColumn(table=table, column=name):
                self._dropped_columns.setdefault(table.key, []).append(name)
            case a.DropConstraint(table=table, constraint=name):
                self._dropped_constraints.setdefault(table.key, []).append(name)
            case a.Rename(kind="column", table=table, new=name):
                self._given_names.add((table.key, name))
            case a.Rename(kind="constraint", table=table, old=str(name)):
                self.renamed_constraints.append((table, name))


def constraints_of(action: Action) -> Iterator[tuple[Name, a.Constraint]]:
    """The constraints that an action makes, each with its table."""
    match action:
        case a.CreateTable(table=table, columns=columns, constraints=constraints):
            yield from ((table, constraint) for constraint in constraints)
            yield from ((table, constraint) for column in columns for constraint in column.constraints)
        case a.AddColumn(table=table, column=column):
            yield from ((table, constraint) for constraint in column.constraints)
        case a.AddConstraint(table=table, constraint=constraint):
            yield table, constraint
