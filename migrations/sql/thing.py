"""What a script has to do with one relation, type or schema, under whatever name it bears now."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from migrations.sql import actions as a
from migrations.sql.names import Name

READ = ("table", "view", "materialized view", "foreign table")
"""What an app can select from."""
RELATIONS = frozenset({*READ, "sequence", "index"})
TYPES = frozenset({"type", "domain"})

LinkKind = Literal["descendants", "parent", "referenced", "referencing", "table", "sources", "users", "members"]


@dataclass(slots=True, eq=False)
class Thing:
    """`before` is its name on the target, None where the script made it; `name` is that of now.

    `kind`: as what it was made, if the script made it, or did so unless it was there before. `columns` and
    `constraints` lead from a name of now to that of before: None where the script made them. `types` are those that the
    script has given to columns. `not_null` are columns that it has made so, `rules` the constraints that it has made,
    and validated if they are not `not_valid`. `checked`: of a domain, not every value of its type satisfies it;
    `default` are the functions that its default calls. `indexes` are those that it has made on a table, `index_columns`
    those of an index. `filled` tables got rows since; what `keeps` some has such as were elsewhere before.
    """

    before: Name | None
    name: Name
    kind: str = ""
    gone: bool = False
    links: dict[str, list["Link"]] = field(default_factory=dict)
    columns: dict[str, str | None] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    constraints: dict[str, str | None] = field(default_factory=dict)
    rules: dict[str, a.Constraint] = field(default_factory=dict)
    not_null: set[str] = field(default_factory=set)
    indexes: list[a.CreateIndex] = field(default_factory=list)
    index_columns: tuple[str, ...] = ()
    checked: bool = False
    default: tuple[str, ...] = ()
    filled: bool = False
    keeps: bool = False

    def memento(self) -> Callable[[], None]:
        """What makes it again what it is now."""
        now = {field.name: _copied(getattr(self, field.name)) for field in fields(self)}

        def back() -> None:
            for name, value in now.items():
                setattr(self, name, value)

        return back

    @property
    def is_own(self) -> bool:
        """The script made it, with its rows: those of a view or foreign table stand elsewhere."""
        return self.before is None and self.kind in ("table", "materialized view")

    @property
    def is_perhaps_own(self) -> bool:
        """The script made it, unless it was there before its CREATE TABLE IF NOT EXISTS."""
        return self.before is not None and self.kind in ("table", "materialized view")

    @property
    def is_empty(self) -> bool:
        """The script made it, and has put no row into it nor into what belongs to it."""
        family, known = [self], {self}
        for thing in family:
            below = {link.to for link in thing.links.get("descendants", ())} - known
            known |= below
            family += below
        return all(thing.before is None and not thing.filled for thing in family)

    @property
    def never_null(self) -> set[str]:
        """The columns that hold no null, by what the script has done: it has made them so, or a CHECK proves it."""
        return self.not_null.union(*(rule.proves_not_null for rule in self.rules.values() if not rule.not_valid))

    @property
    def is_checked(self) -> bool:
        """The script has made or validated a CHECK, and all rows were held against it."""
        return any(rule.kind == "check" and not rule.not_valid for rule in self.rules.values())

    @property
    def is_uniquely_indexed(self) -> bool:
        """The script has made a unique index on columns of it, for all rows."""
        return any(one.unique and not one.partial and "expression" not in one.columns for one in self.indexes)

    def column(self, name: str) -> str | None:
        """What a column was called before; None if the script made it."""
        return self.columns.get(name, name)

    def constraint(self, name: str) -> str | None:
        """The same of a constraint."""
        return self.constraints.get(name, name)

    def link(self, kind: LinkKind, to: "Thing", columns: tuple[str, ...] = (), constraint: str = "") -> None:
        """Note that this leads to another thing, which the target does not know of."""
        self.links.setdefault(kind, []).append(Link(to, columns, constraint))

    def unlink(self, is_gone: Callable[["Link"], bool]) -> None:
        """Note which links there are no more."""
        self.links = {kind: [link for link in links if not is_gone(link)] for kind, links in self.links.items()}

    def rename_column(self, old: str, new: str) -> None:
        """The column is called otherwise from now on."""
        self.columns[new] = self.columns.pop(old, old)
        if old in self.types:
            self.types[new] = self.types.pop(old)
        if old in self.not_null:
            self.not_null ^= {old, new}
        self.rules = {name: _renamed(rule, old, new) for name, rule in self.rules.items()}
        self._relink(lambda link: replace(link, columns=tuple(new if c == old else c for c in link.columns)))

    def rename_constraint(self, old: str, new: str) -> None:
        """The same of a constraint."""
        self.constraints[new] = self.constraints.pop(old, old)
        if old in self.rules:
            self.rules[new] = self.rules.pop(old)
        self._relink(lambda link: replace(link, constraint=new) if link.constraint == old else link)

    def _relink(self, changed: Callable[["Link"], "Link"]) -> None:
        self.links = {kind: [changed(link) for link in links] for kind, links in self.links.items()}


def _renamed(rule: a.Constraint, old: str, new: str) -> a.Constraint:
    columns, proves = ([new if c == old else c for c in names] for names in (rule.columns, rule.proves_not_null))
    return replace(rule, columns=tuple(columns), proves_not_null=tuple(proves))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return value.copy() if isinstance(value, list | set) else value


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One way from a thing to another, by a foreign key over `columns` for instance."""

    to: Thing
    columns: tuple[str, ...] = ()
    constraint: str = ""
