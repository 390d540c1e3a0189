"""What a script has made, renamed and linked so far: the things of the target, told apart from its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from migrations.locks.lock import Through, ThroughKind
from migrations.sql import actions as a
from migrations.sql.names import Name

RELATIONS = frozenset({"table", "foreign table", "view", "materialized view", "sequence", "index"})
TYPES = frozenset({"type", "domain"})

_ALONG: dict[ThroughKind, tuple[ThroughKind, ...]] = {
    "depending": ("referencing", "users", "members"),
    "truncated along": ("referencing",),
    "rows": ("descendants", "sources", "referenced", "referencing"),
}
"""The links that lead to where these do."""


@dataclass(slots=True, eq=False)
class Thing:
    """A relation, type or schema. `before` is its name on the target, None where the script made it.

    `columns` and `constraints` lead from a name of now to that of before: None where the script made them.
    `never_null` are columns that a CHECK of the script proves, `proofs` those that it would, once it is validated.
    `index_columns` are those of an index, `checked` is a domain with a constraint. `filled` tables got rows since.
    `kinds` are all that its links ever were of.
    """

    before: Name | None
    gone: bool = False
    links: list["Link"] = field(default_factory=list)
    kinds: set[ThroughKind] = field(default_factory=set)
    columns: dict[str, str | None] = field(default_factory=dict)
    constraints: dict[str, str | None] = field(default_factory=dict)
    proofs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    never_null: set[str] = field(default_factory=set)
    index_columns: tuple[str, ...] = ()
    checked: bool = False
    filled: bool = False

    @property
    def is_empty(self) -> bool:
        """The script made it, and has put no row into it nor into what belongs to it."""
        family, known = [self], {self}
        for thing in family:
            below = {link.to for link in thing.links if link.kind == "descendants"} - known
            known |= below
            family += below
        return all(thing.before is None and not thing.filled for thing in family)

    def link(self, kind: ThroughKind, to: "Thing", columns: tuple[str, ...] = (), constraint: str = "") -> None:
        """Note that this leads to another thing, which the target does not know of."""
        self.kinds.add(kind)
        self.links.append(Link(kind, to, columns, constraint))

    def rename_in_links(self, old: str, new: str, *, constraint: bool = False) -> None:
        """A column, or a constraint, is called otherwise from now on."""
        for place, link in enumerate(self.links):
            if constraint and link.constraint == old:
                self.links[place] = replace(link, constraint=new)
            elif not constraint:
                self.links[place] = replace(link, columns=tuple(new if c == old else c for c in link.columns))

    def through(self, through: Through) -> Iterator["Thing"]:
        """What the script's own links lead to."""
        kinds = _ALONG.get(through.kind, (through.kind,))
        for link in self.links if self.kinds.intersection(kinds) else ():
            over = not (through.columns and link.columns) or not set(through.columns).isdisjoint(link.columns)
            if link.kind in kinds and over and through.constraint in ("", link.constraint) and not link.to.gone:
                yield link.to


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One way from a thing to another, by a foreign key over `columns` for instance."""

    kind: ThroughKind
    to: Thing
    columns: tuple[str, ...] = ()
    constraint: str = ""


class Track:
    """The state between two statements."""

    def __init__(self) -> None:
        self._things: dict[tuple[str, str, str], Thing] = {}
        self._schemas: dict[str, str] = {}  # renamed ones: the name of now, and the one of before

    def thing(self, name: Name, kind: str = "table") -> Thing:
        """What bears a name now. What the script has not spoken of yet was there before."""
        return self._things.setdefault(_key(name, kind), self.peek(name, kind))

    def peek(self, name: Name, kind: str = "table") -> Thing:
        """The same, without speaking of it."""
        schema = name.schema and self._schemas.get(name.schema, name.schema)
        return self._things.get(_key(name, kind)) or Thing(Name(schema, name.name))

    def type(self, words: str) -> Thing:
        """The type of a column, by the words that it is written with."""
        schema, _, name = words.removesuffix("[]").rpartition(".")
        return self.thing(Name(schema.strip('"') or None, name.strip('"')), "type")

    def take_in(self, action: a.Action) -> None:
        """The action is behind us now."""
        self._take_in_object(action)
        self._take_in_column(action)
        self._take_in_constraint(action)
        self._take_in_partition(action)
        self._take_in_rows(action)

    def _make(self, name: Name, kind: str = "table") -> Thing:
        return self._things.setdefault(_key(name, kind), Thing(None))

    def _take_in_object(self, action: a.Action) -> None:
        match action:
            case a.CreateTable(table=table, partition_of=parent, inherits=heirs):
                made = self._make(table)
                for above in (*heirs, *([parent] if parent else ())):
                    self.thing(above).link("descendants", made)
                if parent:
                    made.link("parent", self.thing(parent))
            case a.CreateIndex(table=table, index=Name() as index, columns=columns):
                made = self._make(index)
                made.index_columns = columns
                made.link("table", self.thing(table))
            case a.CreateStatistics(name=Name() as name, on=table):
                self._make(name, "statistics").link("table", self.thing(table))
            case a.Create(kind=kind, name=name, reads=reads):
                made = self._make(name, kind)
                made.checked = action.checked
                for read in reads:
                    made.link("sources", self.thing(read))
            case a.Drop(kind=kind, name=name):
                self._drop(kind, name)
            case a.Rename(kind="schema", table=Name(name=old), new=new):
                self._rename_schema(old, new)
            case a.Rename(kind=kind, table=name, old=None, new=new):
                self._move(kind, name, Name(name.schema, new))
            case a.MoveToSchema(kind=kind, name=name, schema=schema):
                self.thing(Name(None, schema), "schema").link("members", self.thing(name, kind))
                self._move(kind, name, Name(schema, name.name))

    def _drop(self, kind: str, name: Name) -> None:
        thing = self._things.pop(_key(name, kind), None)
        if thing:
            thing.gone = True
        if kind == "schema":
            for key in [key for key in self._things if key[1] == name.name]:
                self._things.pop(key).gone = True

    def _move(self, kind: str, old: Name, new: Name) -> None:
        thing = self.thing(old, kind)
        del self._things[_key(old, kind)]
        self._things[_key(new, kind)] = thing

    def _rename_schema(self, old: str, new: str) -> None:
        self._schemas[new] = self._schemas.pop(old, old)
        self._move("schema", Name(None, old), Name(None, new))
        for key in [key for key in self._things if key[1] == old]:
            self._things[key[0], new, key[2]] = self._things.pop(key)

    def _take_in_column(self, action: a.Action) -> None:
        match action:
            case a.AddColumn(table=table, column=column, if_not_exists=maybe):
                thing = self.thing(table)
                thing.columns[column.name] = column.name if maybe else None
                self.type(column.type).link("users", thing)
            case a.AlterType(table=table, type=type):
                self.type(type).link("users", self.thing(table))
            case a.Rename(kind="column", table=table, old=str(old), new=new):
                thing = self.thing(table)
                thing.columns[new] = thing.columns.pop(old, old)
                thing.rename_in_links(old, new)
            case a.DropColumn(table=table, column=column):
                thing = self.thing(table)
                thing.links = [link for link in thing.links if column not in link.columns]
                thing.never_null.discard(column)

    def _take_in_constraint(self, action: a.Action) -> None:
        match action:
            case a.CreateTable(table=table, columns=columns, constraints=constraints):
                for constraint in (*constraints, *(c for column in columns for c in column.constraints)):
                    self._add(table, constraint)
            case a.AddColumn(table=table, column=column):
                for constraint in column.constraints:
                    self._add(table, constraint)
            case a.AddConstraint(table=table, constraint=constraint):
                self._add(table, constraint)
            case a.ValidateConstraint(table=table, constraint=name):
                self.thing(table).never_null.update(self.thing(table).proofs.get(name, ()))
            case a.Rename(kind="constraint", table=table, old=str(old), new=new):
                thing = self.thing(table)
                thing.constraints[new] = thing.constraints.pop(old, old)
                thing.rename_in_links(old, new, constraint=True)
            case a.DropConstraint(table=table, constraint=name):
                thing = self.thing(table)
                for link in [link for link in thing.links if link.constraint == name]:
                    link.to.links = [other for other in link.to.links if other.to is not thing]
                thing.links = [link for link in thing.links if link.constraint != name]

    def _add(self, table: Name, constraint: a.Constraint) -> None:
        thing = self.thing(table)
        name = constraint.name or f"{table.name}_{'_'.join(constraint.columns)}_fkey"
        thing.constraints[name] = None
        if constraint.references:
            partner = self.thing(constraint.references)
            thing.link("referenced", partner, constraint.columns, name)
            partner.link("referencing", thing, constraint=name)
        if constraint.using_index:
            self._move("index", Name(table.schema, constraint.using_index), Name(table.schema, name))
        elif constraint.kind in ("unique", "primary key", "exclude") and constraint.name:
            self._make(Name(table.schema, name)).link("table", thing)
        if constraint.not_valid:
            thing.proofs[name] = constraint.proves_not_null
        else:
            thing.never_null.update(constraint.proves_not_null)

    def _take_in_rows(self, action: a.Action) -> None:
        match action:
            case a.CreateTable(table=table, filled=True) | a.Insert(table=table) | a.Merge(table=table):
                self.thing(table).filled = True
            case a.Copy(table=Name() as table, into=True):
                self.thing(table).filled = True

    def _take_in_partition(self, action: a.Action) -> None:
        match action:
            case a.AttachPartition(table=table, partition=partition):
                self.thing(table).link("descendants", self.thing(partition))
                self.thing(partition).link("parent", self.thing(table))
            case a.DetachPartition(table=table, partition=partition):
                parent, child = self.thing(table), self.thing(partition)
                parent.links = [link for link in parent.links if link.to is not child]
                child.links = [link for link in child.links if link.to is not parent]


def _key(name: Name, kind: str) -> tuple[str, str, str]:
    """Relations share one set of names, types and domains another."""
    space = "relation" if kind in RELATIONS else "type" if kind in TYPES else kind
    return (space, *name.key)
