"""Statements that take away what the target has and the folder does not say."""

from migrations.drift import Remedy
from migrations.drift.sql.defaults import default_privileges
from migrations.drift.sql.words import Attributes, Objects, reference

LOSES = "it holds data, or may: if nobody needs it, drop it in a migration of its own"
BACK = "what has used it must do without; keep its definition"
SAFE = (
    *("view", "materialized view", "trigger", "rule", "policy", "function", "procedure", "aggregate", "statistics"),
    *("enum", "domain", "composite type", "range", "event trigger", "publication", "extension", "constraint", "index"),
)


def drop(kind: str, name: str, attributes: Attributes, within: str, objects: Objects) -> Remedy:
    """DROP, never with CASCADE, where no data are lost by it."""
    of = attributes.get("of", "")
    if kind == "default privileges":
        return Remedy(default_privileges(name, None, attributes.get("privileges")))
    if kind not in SAFE:
        return Remedy((), LOSES)
    if kind == "constraint":
        alter = f"ALTER {'DOMAIN' if within == 'domain' else 'TABLE'} {of}"
        return Remedy((f"{alter} DROP CONSTRAINT {name[len(of) + 1 :]}",))
    if kind == "index":
        partitioned = "partitioned by" in objects.get(f"table {of}", {})
        return Remedy((f"DROP INDEX {'' if partitioned else 'CONCURRENTLY '}{name}",))
    return Remedy((f"DROP {reference(kind, name, of, within)}",), BACK if kind == "publication" else "")
