"""What scripts do to tables, all in all: what must be there afterwards, and which rows may be gone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from migrations.sql import Script, Statement
from migrations.sql import actions as a
from migrations.sql.names import Name

TAKES_COLUMNS = ("type", "domain", "collation", "extension", *a.COMPUTED_WITH)
"""With CASCADE, columns go with these."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Names have a schema. `dropped`, `emptied` and `reduced` are named as before the scripts; `renamed` leads from
    there to the name afterwards. `emptied` are truncated with all that references them, `reduced` lose single rows.
    `touched` are all tables that a statement names, and those that new keys reference, under the name they have then.
    `not_validated` are tables and domains that get a constraint NOT VALID, as they are named afterwards.

    `opaque` are the places whose effect is not known: migration, line and why.
    """

    tables: tuple[Name, ...]
    columns: tuple[tuple[Name, str], ...]
    dropped: frozenset[Name]
    dropped_schemas: frozenset[str]
    emptied: frozenset[Name]
    reduced: frozenset[Name]
    renamed: Mapping[Name, Name]
    touched: frozenset[Name]
    not_validated: frozenset[Name]
    opaque: tuple[str, ...]


def effects_of(scripts: Iterable[tuple[str, Script]], schema: str) -> Effects:
    """The effects of scripts (migration, script) that ran in this order. `schema` is where unqualified names lead."""
    walk = _Walk(schema)
    for migration, script in scripts:
        walk.schema = walk.default
        if script.error is not None:
            walk.opaque.append(f"{migration}: {script.error.message}")
        for statement in script.statements:
            walk.statement(migration, statement)
    return Effects(
        tables=tuple(walk.created),
        columns=tuple((table, name) for table, names in walk.columns.items() for name in names),
        dropped=frozenset(walk.dropped),
        dropped_schemas=frozenset(walk.dropped_schemas),
        emptied=frozenset(walk.emptied),
        reduced=frozenset(walk.reduced),
        renamed=dict(walk.renamed),
        touched=frozenset(walk.touched),
        not_validated=frozenset(walk.not_validated),
        opaque=tuple(walk.opaque),
    )


@dataclass(slots=True)
class _Walk:
    default: str
    schema: str = ""
    created: dict[Name, None] = field(default_factory=dict)
    columns: dict[Name, dict[str, None]] = field(default_factory=dict)
    dropped: set[Name] = field(default_factory=set)
    dropped_schemas: set[str] = field(default_factory=set)
    emptied: set[Name] = field(default_factory=set)
    reduced: set[Name] = field(default_factory=set)
    renamed: dict[Name, Name] = field(default_factory=dict)
    touched: set[Name] = field(default_factory=set)
    not_validated: set[Name] = field(default_factory=set)
    opaque: list[str] = field(default_factory=list)

    def statement(self, migration: str, statement: Statement) -> None:
        where = f"{migration}, line {statement.line}"
        if statement.why_not:
            self.opaque.append(f"{where}: {statement.why_not}")
        elif any(not isinstance(action, a.Query) for action in statement.actions[len(statement.certain) :]):
            self.opaque.append(f"{where}: what its code did is not known")
        self.touched |= {self._full(name) for name in (*statement.facts.touches, *_referenced(statement.certain))}
        for action in statement.certain:
            if why := self.action(action):
                self.opaque.append(f"{where}: {why}")

    def action(self, action: a.Action) -> str | None:
        """Take one action into account. Returns why its effect is not known, if it is not."""
        match action:
            case a.CreateTable(temporary=False):
                self._create(action)
            case a.AddColumn():
                self.columns.setdefault(self._full(action.table), {})[action.column.name] = None
            case a.DropColumn(table=table, column=column):
                self.columns.get(self._full(table), {}).pop(column, None)
            case a.AddConstraint(table=name, constraint=a.Constraint(not_valid=True)):
                self.not_validated.add(self._full(name))
            case a.AlterDomain(domain=name, not_valid=True):
                self.not_validated.add(self._full(name))
            case a.Drop():
                return self._drop(action)
            case a.Rename():
                return self._rename(action)
            case a.MoveToSchema(kind=kind, name=name, schema=schema) if "table" in kind:
                self._move(self._full(name), Name(schema, name.name))
            case a.Truncate(table=table, cascade=cascade):
                (self.emptied if cascade else self.reduced).add(self._before(self._full(table)))
            case a.Delete(table=table) | a.Merge(table=table):
                self.reduced.add(self._before(self._full(table)))
            case a.Set(setting="search_path" | "*", value=value):
                return self._search_path(value)
            case a.Transaction(kind="rollback" | "rollback to"):
                return "it takes back what came before"
        return None

    def _create(self, action: a.CreateTable) -> None:
        table = self._full(action.table)
        self.created[table] = None
        for column in action.columns:
            self.columns.setdefault(table, {})[column.name] = None

    def _drop(self, action: a.Drop) -> str | None:
        if action.kind == "schema":
            self.dropped_schemas.add(action.name.name)
            for table in [t for t in {**self.created, **self.columns} if t.schema == action.name.name]:
                self._forget(table)
        elif "table" in action.kind:
            table = self._full(action.name)
            if table not in self.created:
                self.dropped.add(self._before(table))
            self._forget(table)
        elif action.cascade and action.kind in TAKES_COLUMNS:
            return f"columns may be gone with the {action.kind} {action.name}"
        return None

    def _rename(self, action: a.Rename) -> str | None:
        table = self._full(action.table)
        if action.kind == "table":
            self._move(table, Name(table.schema, action.new))
        elif action.kind == "column" and action.old is not None:
            columns = self.columns.get(table, {})
            if action.old in columns:
                del columns[action.old]
                columns[action.new] = None
        elif action.kind == "schema":
            return "it renames a schema"
        return None

    def _move(self, old: Name, new: Name) -> None:
        if old in self.created:
            del self.created[old]
            self.created[new] = None
        else:
            self.renamed[self._before(old)] = new
        if old in self.columns:
            self.columns[new] = self.columns.pop(old)
        if old in self.not_validated:
            self.not_validated.add(new)

    def _forget(self, table: Name) -> None:
        self.created.pop(table, None)
        self.columns.pop(table, None)

    def _search_path(self, value: str | None) -> str | None:
        if value is None:
            self.schema = self.default
            return None
        names = [name.strip().strip("\"'") for name in value.split(",")]
        first = next((name for name in names if name != "$user"), "")
        if first in ("", "?"):
            return "it sets a search_path that does not say where names lead"
        self.schema = first
        return None

    def _full(self, name: Name) -> Name:
        return Name(name.schema or self.schema, name.name)

    def _before(self, name: Name) -> Name:
        return next((old for old, new in self.renamed.items() if new == name), name)


def _referenced(actions: Iterable[a.Action]) -> Iterator[Name]:
    """Tables that new foreign keys lead to: they are locked, too."""
    for action in actions:
        match action:
            case a.CreateTable(columns=columns, constraints=constraints):
                found = (*constraints, *(c for column in columns for c in column.constraints))
            case a.AddColumn(column=column):
                found = column.constraints
            case a.AddConstraint(constraint=constraint):
                found = (constraint,)
            case _:
                continue
        yield from (constraint.references for constraint in found if constraint.references)
