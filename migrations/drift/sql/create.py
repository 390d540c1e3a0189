"""Statements that make what the target lacks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrations.catalog.diff import split_key
from migrations.drift import Remedy
from migrations.drift.sql import change
from migrations.drift.sql.defaults import default_privileges
from migrations.drift.sql.dress import dressed
from migrations.drift.sql.words import Attributes, Objects, holder, local, reference, schema_of, split_list

SHUTS_OUT = "it shuts out writers while it is checked or built"
NEEDS_VALUES = "the rows that are there need a value first, or it fails"
PARTS = ("constraint", "index", "statistics", "trigger", "rule", "policy", "column")
TABLE_ATTRIBUTES = ("row security", "replica identity", "clustered on")


@dataclass(frozen=True, slots=True)
class Make:
    """Makes objects of the catalog `wanted`. `usual` is who makes them."""

    wanted: Objects
    there: Objects
    usual: str
    parts: Mapping[str, Sequence[tuple[str, str]]]
    """Kind and name of what is `of` a thing, or of a sequence that is owned by a column."""

    @classmethod
    def of(cls, wanted: Objects, there: Objects, usual: str) -> "Make":
        """From a catalog, which is gone through once, for a target that is as `there` says."""
        parts: dict[str, list[tuple[str, str]]] = {}
        for key, attributes in wanted.items():
            if holds := attributes.get("of") or attributes.get("owned by"):
                parts.setdefault(holds, []).append(split_key(key))
        return cls(wanted, there, usual, parts)

    def remedy(self, kind: str, name: str) -> Remedy:
        """How to make an object, with all that belongs to it."""
        attributes = self.wanted[f"{kind} {name}"]
        how = _HOW.get(kind)
        if how is None or (kind == "schema" and self._inside(name)):
            return Remedy((), "gonogo does not write this; the script that makes it does")
        return Remedy(tuple(self.whole(kind, name)), self._caution(kind, attributes))

    def whole(self, kind: str, name: str) -> Iterator[str]:
        """It, its parts, and what they are dressed in."""
        return self._all(kind, name, self.wanted[f"{kind} {name}"])

    def bare(self, kind: str, name: str, attributes: Attributes) -> list[str]:
        """It alone; nothing if there is no way."""
        return list(_HOW[kind](self, name, attributes)) if kind in _HOW else []

    def _all(self, kind: str, name: str, attributes: Attributes) -> Iterator[str]:
        of = attributes.get("of", "")
        yield from _HOW[kind](self, name, attributes)
        if kind in ("table", "domain", "materialized view", "view"):
            yield from self._parts(kind, name)
        if kind in ("trigger", "rule", "event trigger") and "state" in attributes:
            yield change.state(kind, name, of, attributes["state"])
        for attribute in TABLE_ATTRIBUTES if kind == "table" else ():
            if attribute in attributes:
                yield from change.of_table(name, attribute, attributes[attribute], None)
        yield from dressed(kind, name, of, holder(of, self.wanted), attributes, self.usual, self.there)

    def _parts(self, within: str, table: str) -> Iterator[str]:
        """Constraints first, foreign keys last of them, then what may stand on them."""
        own = [(kind, name) for kind, name in self.parts.get(table, ()) if kind != "sequence" and self._own(kind, name)]
        own.sort(key=lambda each: (PARTS.index(each[0]), self._is_key(*each)))
        for kind, name in own:
            if kind != "column":
                yield from (text.replace("INDEX CONCURRENTLY ", "INDEX ") for text in self.whole(kind, name))
                continue
            attributes = self.wanted[f"column {name}"]
            yield from change.column_extras(name, table, attributes)
            yield from dressed("column", name, table, within, attributes, self.usual, self.there)

    def _is_key(self, kind: str, name: str) -> bool:
        return self.wanted[f"{kind} {name}"].get("definition", "").startswith("FOREIGN")

    def _own(self, kind: str, name: str) -> bool:
        """No copy of what the parent has."""
        part = self.wanted[f"{kind} {name}"]
        if "attached to" in part:
            return False
        parents = split_list(self.wanted.get(f"table {part['of']}", {}).get("parents"))
        above = (self.wanted.get(f"{kind} {parent}.{local(name, part['of'])}", {}) for parent in parents)
        return "definition" not in part or all(one.get("definition") != part["definition"] for one in above)

    def _inside(self, schema: str) -> bool:
        return any(schema_of(key.rpartition(" ")[2]) == schema for key in self.wanted if not key.startswith("schema "))

    def _caution(self, kind: str, attributes: Attributes) -> str:
        if kind == "constraint" and not self._of_a_domain(attributes):
            later = attributes["definition"].startswith(("CHECK", "FOREIGN"))
            return "" if later and not self._partitioned(attributes["of"]) else SHUTS_OUT
        if kind == "index":
            return SHUTS_OUT if self._partitioned(attributes["of"]) else ""
        filled = ("default", "generated", "identity")
        if kind == "column" and "not null" in attributes and not any(each in attributes for each in filled):
            return NEEDS_VALUES
        return "it runs its query once" if kind == "materialized view" else ""

    def _of_a_domain(self, attributes: Attributes) -> bool:
        return f"domain {attributes['of']}" in self.wanted

    def _partitioned(self, table: str) -> bool:
        return "partitioned by" in self.wanted.get(f"table {table}", {})

    # One for each kind ------------------------------------------------------------------------

    def table(self, name: str, attributes: Attributes) -> Iterator[str]:
        """With its columns, and the sequences of their defaults."""
        columns = [(part, self.wanted[f"column {part}"]) for kind, part in self.parts.get(name, ()) if kind == "column"]
        for column, _ in columns:
            yield from self._sequences(column, before=True)
        unlogged = "UNLOGGED " if attributes.get("persistence") == "unlogged" else ""
        head = f"CREATE {unlogged}TABLE {name}"
        if "partition" in attributes:
            head += f" PARTITION OF {attributes['parents']} {attributes['partition']}"
        else:
            head += f" ({', '.join(f'{local(column, name)} {self._column(column, c)}' for column, c in columns)})"
            head += f" INHERITS ({attributes['parents']})" if "parents" in attributes else ""
        head += f" PARTITION BY {attributes['partitioned by']}" if "partitioned by" in attributes else ""
        head += f" WITH ({attributes['options']})" if "options" in attributes else ""
        yield head + (f" TABLESPACE {attributes['tablespace']}" if "tablespace" in attributes else "")
        for column, _ in columns:
            yield from self._sequences(column, before=False)

    def column(self, name: str, attributes: Attributes) -> Iterator[str]:
        """With the sequence of its default."""
        of = attributes["of"]
        if holder(of, self.wanted) in ("view", "materialized view"):
            if "default" in attributes:
                yield f"ALTER VIEW {of} ALTER COLUMN {local(name, of)} SET DEFAULT {attributes['default']}"
            return
        yield from self._sequences(name, before=True)
        yield f"ALTER TABLE {of} ADD COLUMN {local(name, of)} {self._column(name, attributes)}"
        yield from self._sequences(name, before=False)
        yield from change.column_extras(name, of, attributes)

    def _column(self, name: str, attributes: Attributes) -> str:
        words = [attributes["type"]]
        if "collation" in attributes:
            words.append(f"COLLATE {attributes['collation']}")
        if "identity" in attributes:
            words.append(f"GENERATED {attributes['identity'].upper()} AS IDENTITY{self.identity(name)}")
        if "generated" in attributes:
            expression, _, stored = attributes["generated"].rpartition(" ")
            words.append(f"GENERATED ALWAYS AS ({expression}) {stored.upper()}")
        if "default" in attributes:
            words.append(f"DEFAULT {attributes['default']}")
        return " ".join([*words, "NOT NULL"] if "not null" in attributes else words)

    def _owned(self, column: str) -> Iterator[tuple[str, Attributes]]:
        for kind, name in self.parts.get(column, ()):
            if kind == "sequence":
                yield name, self.wanted[f"sequence {name}"]

    def identity(self, column: str) -> str:
        """The words for an identity column's sequence."""
        for name, attributes in self._owned(column):
            return f" (SEQUENCE NAME {name} {change.sequence_values(attributes)})"
        return ""

    def _sequences(self, column: str, *, before: bool) -> Iterator[str]:
        for name, attributes in self._owned(column):
            if "identity" not in attributes:
                made = self.sequence(name, {**attributes, "owned by": ""})
                yield from made if before else (f"ALTER SEQUENCE {name} OWNED BY {column}",)

    def sequence(self, name: str, attributes: Attributes) -> Iterator[str]:
        """Of a column that is there, or of none."""
        unlogged = "UNLOGGED " if attributes.get("persistence") == "unlogged" else ""
        yield f"CREATE {unlogged}SEQUENCE {name} AS {attributes['type']} {change.sequence_values(attributes)}"
        if attributes.get("owned by"):
            yield f"ALTER SEQUENCE {name} OWNED BY {attributes['owned by']}"

    def view(self, name: str, attributes: Attributes) -> Iterator[str]:
        options = f" WITH ({attributes['options']})" if "options" in attributes else ""
        yield f"CREATE VIEW {name}{options} AS {_bare(attributes['definition'])}"

    def materialized_view(self, name: str, attributes: Attributes) -> Iterator[str]:
        options = f" WITH ({attributes['options']})" if "options" in attributes else ""
        yield f"CREATE MATERIALIZED VIEW {name}{options} AS {_bare(attributes['definition'])}"

    def constraint(self, name: str, attributes: Attributes) -> Iterator[str]:
        """What can be checked later is: readers and writers go on meanwhile."""
        of, definition = attributes["of"], attributes["definition"]
        constraint = local(name, of)
        if self._of_a_domain(attributes):
            yield f"ALTER DOMAIN {of} ADD CONSTRAINT {constraint} {definition}"
            return
        later = definition.startswith(("CHECK", "FOREIGN")) and not self._partitioned(of)
        added = f"ALTER TABLE {of} ADD CONSTRAINT {constraint} {definition}"
        if not later or definition.endswith("NOT VALID"):
            yield added
            return
        yield f"{added} NOT VALID"
        yield f"ALTER TABLE {of} VALIDATE CONSTRAINT {constraint}"

    def index(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield index_statement(local(name, ""), attributes, partitioned=self._partitioned(attributes["of"]))
        if "tablespace" in attributes:
            yield f"ALTER INDEX {name} SET TABLESPACE {attributes['tablespace']}"

    def enum(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield f"CREATE TYPE {name} AS ENUM ({attributes.get('labels', '')})"

    def composite_type(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield f"CREATE TYPE {name} AS ({attributes.get('columns', '')})"

    def domain(self, name: str, attributes: Attributes) -> Iterator[str]:
        words = [f"CREATE DOMAIN {name} AS {attributes['type']}"]
        words += [f"COLLATE {attributes['collation']}"] if "collation" in attributes else []
        words += [f"DEFAULT {attributes['default']}"] if "default" in attributes else []
        yield " ".join([*words, "NOT NULL"] if "not null" in attributes else words)

    def schema(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield f"CREATE SCHEMA {name}"

    def extension(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield f"CREATE EXTENSION {name} SCHEMA {attributes['schema']}"

    def function(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield _bare(attributes["body"])

    def definition(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield _bare(attributes["definition"])

    def policy(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield f"CREATE {reference('policy', name, attributes['of'], 'table')} {attributes['definition']}"

    def event_trigger(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield f"CREATE EVENT TRIGGER {name} {attributes['definition']}"

    def publication(self, name: str, attributes: Attributes) -> Iterator[str]:
        tables = attributes.get("tables")
        what = " FOR ALL TABLES" if tables == "all tables" else f" FOR TABLE {tables}" if tables else ""
        yield f"CREATE PUBLICATION {name}{what} WITH ({change.publication_options(attributes)})"

    def default_privileges(self, name: str, attributes: Attributes) -> Iterator[str]:
        yield from default_privileges(name, attributes.get("privileges"), None)


def index_statement(name: str, attributes: Attributes, *, partitioned: bool) -> str:
    """CREATE INDEX, without shutting out writers where that is possible."""
    unique, definition = "", attributes["definition"]
    if definition.startswith("UNIQUE "):
        unique, definition = "UNIQUE ", definition.removeprefix("UNIQUE ")
    if partitioned:
        return f"CREATE {unique}INDEX {name} {definition.replace('ON ONLY ', 'ON ', 1)}"
    return f"CREATE {unique}INDEX CONCURRENTLY {name} {definition}"


def _bare(text: str) -> str:
    return text.strip().removesuffix(";").rstrip()


_HOW: dict[str, Callable[[Make, str, Attributes], Iterator[str]]] = {
    "schema": Make.schema,
    "extension": Make.extension,
    "table": Make.table,
    "column": Make.column,
    "constraint": Make.constraint,
    "index": Make.index,
    "sequence": Make.sequence,
    "view": Make.view,
    "materialized view": Make.materialized_view,
    "enum": Make.enum,
    "composite type": Make.composite_type,
    "domain": Make.domain,
    "function": Make.function,
    "procedure": Make.function,
    "trigger": Make.definition,
    "rule": Make.definition,
    "statistics": Make.definition,
    "policy": Make.policy,
    "event trigger": Make.event_trigger,
    "publication": Make.publication,
    "default privileges": Make.default_privileges,
}
