"""The SQL that brings a target to what its migrations folder says, where that can be done without losing anything."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrations.catalog.diff import Difference
from migrations.drift import Remedy
from migrations.drift.sql import change, dress
from migrations.drift.sql.create import SHUTS_OUT, Make, index_statement
from migrations.drift.sql.defaults import default_privileges
from migrations.drift.sql.drop import drop
from migrations.drift.sql.words import Attributes, Objects, holder, local

VIEWS = ("view", "materialized view")
NOT_SAFE = "gonogo knows no way that is safe for whatever is in it: write a migration"
READS_ALL = "rows that do not fit make it fail"
DEPENDENTS = "it fails, and changes nothing, if something else stands on it"
IN_ITS_PLACE = "the old one is dropped: go on only if the new one was built, and is valid"
REWRITES = "the table is written anew, or copied: nobody can use it meanwhile"


@dataclass(frozen=True, slots=True)
class Undoing:
    """Undoes differences between two catalogs: `folder` is what should be, `target` what is.

    `major` is the target's version.
    """

    folder: Objects
    target: Objects
    major: int
    make: Make

    def remedy(self, each: Difference) -> Remedy:
        """The statements, and what to know of them."""
        if each.kind == "column" and not each.attribute and self._within(each) in VIEWS:
            return self._column_of_view(each)
        if each.after is None:
            return self.make.remedy(each.kind, each.name)
        if each.before is None:
            return drop(each.kind, each.name, each.after, self._within(each), self.target)
        found = tuple(self._changes(each, each.before))
        return Remedy(found, self._caution(each) if found else NOT_SAFE)

    def _column_of_view(self, each: Difference) -> Remedy:
        """It is there with its view: what differs is what it was given."""
        sides = Difference(each.kind, each.name, "", each.before or {"of": each.of}, each.after or {"of": each.of})
        given = (replace(sides, attribute=name) for name in ("default", "comment", "privileges"))
        return Remedy(tuple(s for one in given if one.was != one.now for s in self._changes(one, one.before or {})))

    def _within(self, each: Difference) -> str:
        return holder(each.of, self.folder, self.target)

    def _changes(self, each: Difference, wanted: Attributes) -> Iterator[str]:
        kind, name, of, within = each.kind, each.name, each.of, self._within(each)
        match each.attribute:
            case "comment":
                yield dress.comment(kind, name, of, within, each.was)
            case "owner" if each.was is not None:
                yield dress.owner(kind, name, of, within, each.was)
            case "privileges" if kind == "default privileges":
                yield from default_privileges(name, each.was, each.now)
            case "privileges":
                yield from dress.privileges(kind, name, of, self._owned(wanted, of), self._owned(each.after or {}, of))
            case "state" if kind in ("trigger", "rule", "event trigger"):
                yield change.state(kind, name, of, each.was)
            case _:
                yield from self._of_kind(each, wanted)

    def _owned(self, attributes: Attributes, of: str) -> Attributes:
        """With the owner, who for a column is the table's."""
        owner = self.target.get(f"{holder(of, self.target)} {of}", {}).get("owner", "") if of else ""
        return {"owner": owner, **attributes}

    def _of_kind(self, each: Difference, wanted: Attributes) -> Iterator[str]:
        name, of = each.name, each.of
        match each.kind:
            case "table" | "materialized view" | "view" if each.attribute == "options":
                yield from (f"ALTER {each.kind.upper()} {name} {w}" for w in change.options(each.was, each.now))
            case "table":
                yield from self._table(each)
            case "column" if each.attribute == "identity":
                column = f"ALTER TABLE {of} ALTER COLUMN {local(name, of)}"
                yield change.identity(column, each.was, each.now, self.make.identity(name))
            case "column" if self._within(each) in ("table", "foreign table"):
                yield from change.of_column(name, of, each.attribute, each.was, each.now, self.major)
            case "column" if each.attribute == "default":
                value = f"SET DEFAULT {each.was}" if each.was is not None else "DROP DEFAULT"
                yield f"ALTER VIEW {of} ALTER COLUMN {local(name, of)} {value}"
            case "sequence":
                yield from change.of_sequence(name, each.attribute, wanted)
            case "domain":
                yield from change.of_domain(name, each.attribute, each.was)
            case "enum":
                yield from change.enum_labels(name, each.was, each.now)
            case "extension" if each.attribute == "version" and each.was:
                yield f"ALTER EXTENSION {name} UPDATE TO '{each.was}'"
            case "extension":
                yield f"ALTER EXTENSION {name} SET SCHEMA {each.was}"
            case "statistics" if each.attribute == "target":
                yield f"ALTER STATISTICS {name} SET STATISTICS {each.was or '-1'}"
            case "publication":
                yield from self._publication(each)
            case "index":
                yield from self._index(each, wanted)
            case "constraint" if each.attribute == "definition":
                yield from self._constraint(each)
            case _ if each.attribute in ("definition", "body"):
                yield from self._defined(each, wanted)

    def _table(self, each: Difference) -> Iterator[str]:
        name, was, now = each.name, each.before or {}, each.after or {}
        if each.attribute != "parents":
            yield from change.of_table(name, each.attribute, each.was, each.now)
        elif "partition" in was and "parents" not in now:
            yield f"ALTER TABLE {was['parents']} ATTACH PARTITION {name} {was['partition']}"
        elif "partition" in now and "parents" not in was:
            yield f"ALTER TABLE {now['parents']} DETACH PARTITION {name}"

    def _publication(self, each: Difference) -> Iterator[str]:
        if each.attribute == "definition":
            yield f"ALTER PUBLICATION {each.name} SET ({change.publication_options(each.before or {})})"
        elif each.was and "all tables" not in (each.was, each.now):
            yield f"ALTER PUBLICATION {each.name} SET TABLE {each.was}"

    def _index(self, each: Difference, wanted: Attributes) -> Iterator[str]:
        name, partitioned = each.name, "partitioned by" in self.folder.get(f"table {each.of}", {})
        bare = local(name, "")
        match each.attribute:
            case "state" if each.was is None and not partitioned:
                yield f"REINDEX INDEX CONCURRENTLY {name}"
            case "tablespace":
                yield f"ALTER INDEX {name} SET TABLESPACE {each.was or 'pg_default'}"
            case "definition" if not partitioned:
                other = f'"{bare.strip(chr(34))[:50]}_anew"'
                schema = name.removesuffix(bare)
                yield index_statement(other, wanted, partitioned=False)
                yield f"DROP INDEX CONCURRENTLY {name}"
                yield f"ALTER INDEX {schema}{other} RENAME TO {bare}"

    def _constraint(self, each: Difference) -> Iterator[str]:
        of, bare = each.of, local(each.name, each.of)
        thing = f"ALTER {'DOMAIN' if self._within(each) == 'domain' else 'TABLE'} {of}"
        if each.now == f"{each.was} NOT VALID":
            yield f"{thing} VALIDATE CONSTRAINT {bare}"
            return
        first, *rest = self.make.constraint(each.name, each.before or {})
        if thing.startswith("ALTER DOMAIN"):
            yield from ("BEGIN", f"{thing} DROP CONSTRAINT {bare}", first, *rest, "COMMIT")
        else:
            yield f"{thing} DROP CONSTRAINT {bare}, {first.removeprefix(f'{thing} ')}"
            yield from rest

    def _defined(self, each: Difference, wanted: Attributes) -> Iterator[str]:
        """A view, a function, a trigger: replaced where that keeps what hangs on it, else made anew."""
        kind, name, now = each.kind, each.name, each.after or {}
        made = next(iter(self.make.bare(kind, name, wanted)), "")
        if not made:
            return
        if kind in ("function", "procedure") and wanted.get("type") == now.get("type"):
            yield made
        elif kind == "rule" or (kind == "view" and _only_more(wanted["columns"], now["columns"])):
            yield made.replace("CREATE ", "CREATE OR REPLACE ", 1)
        else:
            yield from change.anew(kind, name, each.of, lambda: self.make.whole(kind, name))

    def _caution(self, each: Difference) -> str:
        match each.kind, each.attribute:
            case "column", "not null" if each.was:
                return READS_ALL
            case "constraint", "definition" if not (each.was or "").startswith(("CHECK", "FOREIGN")):
                return SHUTS_OUT
            case "constraint", "definition":
                return READS_ALL
            case "table", "persistence" | "tablespace":
                return REWRITES
            case "view" | "materialized view", "definition":
                return DEPENDENTS
            case "index", "definition":
                return IN_ITS_PLACE
        return ""


def _only_more(wanted: str, there: str) -> bool:
    return wanted == there or wanted.startswith(f"{there}, ")
