"""What is true between two statements, after all that scripts did before; what comes later is in `Ahead`."""

from collections.abc import Collection
from dataclasses import replace
from itertools import count

from migrations.sql import actions as a
from migrations.sql.facts import constraints_of, table_of
from migrations.sql.names import Name
from migrations.sql.script import Statement
from migrations.sql.thing import RELATIONS, TYPES, Thing
from migrations.sql.undo import Undo

_ENDINGS = {
    "check": "check",
    "foreign key": "fkey",
    "unique": "key",
    "primary key": "pkey",
    "exclude": "excl",
    "not null": "not_null",
}


class State:
    """What bears which name now, and what the scripts made of it."""

    def __init__(self) -> None:
        self._things: dict[tuple[str, str, str], Thing] = {}
        self._dropped: dict[tuple[str, str, str], bool] = {}
        self._domains: dict[str, Thing] = {}  # made ones, by their names without a schema
        self._schemas: dict[str, str] = {}  # renamed ones: the name of now, and the one of before
        self._undo = Undo()

    def thing(self, name: Name, kind: str = "table") -> Thing:
        """What bears a name now. What the scripts have not spoken of was there before."""
        return self._things.get(_key(name, kind)) or Thing(self._before(name), name)

    def type(self, words: str) -> Thing:
        """The type of a column, by the words that it is written with."""
        return self.thing(_type_name(words), "type")

    def is_new(self, table: Name) -> bool:
        """The scripts made the table, and all rows in it are their own. Not for views."""
        thing = self._things.get(_key(table, "table"))
        return thing is not None and thing.is_own

    def is_perhaps_new(self, table: Name) -> bool:
        """They did, unless it was there before its CREATE TABLE IF NOT EXISTS."""
        thing = self._things.get(_key(table, "table"))
        return thing is not None and thing.is_perhaps_own

    def is_made(self, kind: str, name: Name) -> bool:
        """The scripts certainly made it. `kind` in words, as of `Create`."""
        return self.thing(name, kind).before is None

    def domain(self, words: str) -> Thing | None:
        """A type, if it is a domain that the scripts made, in whatever schema if none is said."""
        domain = self._domains.get(words) or self.type(words)
        return domain if domain.kind == "domain" and not domain.gone and not words.endswith("[]") else None

    def is_dropped(self, kind: str, name: Name) -> bool:
        """The scripts have dropped it, and have not made it anew."""
        return _key(name, kind) in self._dropped

    def is_new_column(self, table: Name, column: str) -> bool:
        """The scripts added the column."""
        return self.thing(table).column(column) is None

    def index_on(self, index: Name) -> Name | None:
        """The table of an index that the scripts made."""
        return next((link.to.name for link in self.thing(index).links.get("table", ())), None)

    def take_in(self, statement: Statement) -> None:
        """The statement is behind us now."""
        for action in statement.actions:
            self.follow(action)

    def follow(self, action: a.Action) -> None:
        """One action of it is."""
        match action:
            case a.Transaction():
                self._undo.take_in(action)
            case a.Insert(table=table) | a.Merge(table=table) | a.Copy(table=Name() as table, into=True):
                self._fill(self._known(table), action)
            case a.CreateTable():
                self._create_table(action)
            case a.CreateIndex():
                self._create_index(action)
            case a.CreateStatistics(name=Name() as made, on=table):
                self._make(made, "statistics").link("table", self._known(table))
            case a.Create():
                self._create(action)
            case a.Drop():
                self._drop(action.kind, action.name)
            case a.Rename():
                self._rename(action)
            case a.MoveToSchema(kind=kind, name=name, schema=schema):
                self._known(Name(None, schema), "schema").link("members", self._known(name, kind))
                self._move(kind, name, Name(schema, name.name))
            case _:
                if about := table_of(action):
                    self._follow_table(action, self._known(about))

    def _follow_table(self, action: a.Action, thing: Thing) -> None:
        match action:
            case a.AddColumn(column=column, if_not_exists=maybe):
                thing.columns[column.name] = column.name if maybe else None
                self._give_type(thing, column.name, column.type)
                self._constrain(thing, action)
            case a.AlterType(column=column, type=type):
                self._give_type(thing, column, type)
            case a.DropColumn(column=column):
                thing.unlink(lambda link: column in link.columns)
                thing.not_null.discard(column)
                thing.rules = {n: r for n, r in thing.rules.items() if column not in (*r.columns, *r.proves_not_null)}
            case a.SetNotNull(column=column):
                thing.not_null.add(column)
            case a.DropNotNull(column=column):
                thing.not_null.discard(column)
            case a.AddConstraint():
                self._constrain(thing, action)
            case a.ValidateConstraint(constraint=name):
                thing.rules[name] = replace(thing.rules.get(name) or a.Constraint("check", name), not_valid=False)
            case a.DropConstraint(constraint=name):
                for link in [link for links in thing.links.values() for link in links if link.constraint == name]:
                    self._undo.keep(link.to)
                    link.to.unlink(lambda other: other.to is thing)
                thing.unlink(lambda link: link.constraint == name)
                thing.rules.pop(name, None)
            case a.AttachPartition(partition=partition):
                child = self._known(partition)
                thing.link("descendants", child)
                child.link("parent", thing)
            case a.DetachPartition(partition=partition):
                child = self._known(partition)
                thing.unlink(lambda link: link.to is child)
                child.unlink(lambda link: link.to is thing)

    def _known(self, name: Name, kind: str = "table") -> Thing:
        """What bears a name, spoken of from now on."""
        key = _key(name, kind)
        thing = self._things.get(key)
        if thing is None:
            thing = Thing(self._before(name), name)
            self._undo.put(self._things, key, thing)
        else:
            self._undo.keep(thing)
        return thing

    def _make(self, name: Name, kind: str, *, certain: bool = True) -> Thing:
        """What is made under a name; where that is not `certain`, what was there by that name stays what it is."""
        key = _key(name, kind)
        if certain or key in self._dropped:
            self._undo.put(self._things, key, Thing(None, name, kind))
        elif key not in self._things:
            self._undo.put(self._things, key, Thing(self._before(name), name, kind))
        self._undo.put(self._dropped, key, None)
        self._undo.keep(self._things[key])
        return self._things[key]

    def _before(self, name: Name) -> Name:
        return Name(self._schemas[name.schema], name.name) if name.schema in self._schemas else name

    def _create_table(self, action: a.CreateTable) -> None:
        made = self._make(action.table, "table", certain=not action.if_not_exists)
        if action.filled:
            self._fill(made, action)
        for above in (*action.inherits, *([action.partition_of] if action.partition_of else ())):
            self._known(above).link("descendants", made)
        if action.partition_of:
            made.link("parent", self._known(action.partition_of))
        self._constrain(made, action)

    def _fill(self, into: Thing, action: a.CreateTable | a.Insert | a.Merge | a.Copy) -> None:
        into.filled = True
        sources = [self.thing(name) for name in action.reads]
        into.keeps = into.keeps or any(source.keeps or source.before is not None for source in sources)

    def _create_index(self, action: a.CreateIndex) -> None:
        table = self._known(action.table)
        table.indexes.append(action)
        if action.index:
            made = self._make(action.index, "index", certain=not action.if_not_exists)
            made.index_columns = action.columns
            made.link("table", table)

    def _create(self, action: a.Create) -> None:
        """A view that is replaced may be somebody's."""
        if action.replace and action.kind == "view":
            made = self._known(action.name, "view")
        else:
            made = self._make(action.name, action.kind, certain=not action.replace)
        if action.kind == "domain":
            made.checked, made.default = action.checked, action.default
            self._undo.put(self._domains, action.name.name, made)
        for read in action.reads:
            made.link("sources", self._known(read))

    def _drop(self, kind: str, name: Name) -> None:
        key = _key(name, kind)
        self._undo.put(self._dropped, key, True)
        gone = [key] if key in self._things else []
        if kind == "schema":
            gone += [key for key in self._things if key[1] == name.name]
        for key in gone:
            self._undo.keep(self._things[key])
            self._things[key].gone = True
            self._undo.put(self._things, key, None)

    def _rename(self, action: a.Rename) -> None:
        match action:
            case a.Rename(kind="schema", table=Name(name=old), new=new):
                self._rename_schema(old, new)
            case a.Rename(kind=kind, table=name, old=None, new=new):
                self._move(kind, name, name._replace(name=new))
            case a.Rename(kind="column", table=table, old=str(old), new=new):
                self._known(table).rename_column(old, new)
            case a.Rename(kind="constraint", table=table, old=str(old), new=new):
                self._known(table).rename_constraint(old, new)

    def _move(self, kind: str, old: Name, new: Name) -> None:
        thing = self._known(old, kind)
        self._undo.put(self._things, _key(old, kind), None)
        self._undo.put(self._things, _key(new, kind), thing)
        thing.name = new

    def _rename_schema(self, old: str, new: str) -> None:
        self._undo.put(self._schemas, new, self._schemas.get(old, old))
        self._undo.put(self._schemas, old, None)
        self._move("schema", Name(None, old), Name(None, new))
        for key in [key for key in self._things if key[1] == old]:
            thing = self._things[key]
            self._undo.keep(thing)
            thing.name = Name(new, thing.name.name)
            self._undo.put(self._things, key, None)
            self._undo.put(self._things, (key[0], new, key[2]), thing)

    def _give_type(self, thing: Thing, column: str, type: str) -> None:
        thing.types[column] = type
        self._known(_type_name(type), "type").link("users", thing)

    def _constrain(self, thing: Thing, action: a.Action) -> None:
        for table, constraint in constraints_of(action):
            self._add(thing, table, constraint)

    def _add(self, thing: Thing, table: Name, constraint: a.Constraint) -> None:
        name = constraint.name or _made_up_name(table, constraint, thing.rules)
        thing.constraints[name] = None
        thing.rules[name] = constraint
        if constraint.references:
            partner = self._known(constraint.references)
            thing.link("referenced", partner, constraint.columns, name)
            partner.link("referencing", thing, constraint=name)
        if constraint.using_index:
            self._move("index", table._replace(name=constraint.using_index), table._replace(name=name))
        elif constraint.kind in ("unique", "primary key", "exclude") and constraint.name:
            self._make(table._replace(name=name), "index").link("table", thing)


def _made_up_name(table: Name, constraint: a.Constraint, taken: Collection[str]) -> str:
    """As the server makes it up; of a CHECK, as far as its columns are known."""
    columns = () if constraint.kind == "primary key" else constraint.columns or constraint.proves_not_null
    name = "_".join((table.name, *columns, _ENDINGS[constraint.kind]))
    return next(one for number in count() if (one := f"{name}{number or ''}") not in taken)


def _key(name: Name, kind: str) -> tuple[str, str, str]:
    """Relations share one set of names, types and domains another."""
    space = "relation" if kind in RELATIONS else "type" if kind in TYPES else kind
    return (space, *name.key)


def _type_name(words: str) -> Name:
    schema, _, name = words.removesuffix("[]").rpartition(".")
    return Name(schema.strip('"') or None, name.strip('"'))
