"""How things are named in statements about them."""

from collections.abc import Mapping

Attributes = Mapping[str, str]
Objects = Mapping[str, Attributes]

ON_A_TABLE = ("constraint", "trigger", "rule", "policy")
KEYWORDS = {
    "enum": "TYPE",
    "range": "TYPE",
    "composite type": "TYPE",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
}
HOLDERS = ("table", "foreign table", "view", "materialized view", "domain")


def keyword(kind: str) -> str:
    """What stands before the name: `MATERIALIZED VIEW`."""
    return KEYWORDS.get(kind, kind.upper())


def local(name: str, of: str) -> str:
    """The last part of a name: of a part within what it is `of`, else behind its schema."""
    within = of if of and name.startswith(f"{of}.") else schema_of(name)
    return name[len(within) + 1 :] if within else name


def schema_of(name: str) -> str:
    """The schema of a qualified name as it is written; empty if there is none."""
    if name.startswith('"'):
        end = name.find('"', 1)
        while end >= 0 and name[end + 1 : end + 2] == '"':
            end = name.find('"', end + 2)
        return name[: end + 1] if name[end + 1 : end + 2] == "." else ""
    dot, paren = name.find("."), name.find("(")
    return name[:dot] if dot > 0 and (paren < 0 or dot < paren) else ""


def holder(of: str, *catalogs: Objects) -> str:
    """The kind of what a part belongs to."""
    return next((kind for kind in HOLDERS for objects in catalogs if f"{kind} {of}" in objects), "table")


def reference(kind: str, name: str, of: str, within: str) -> str:
    """As COMMENT ON and ALTER name it: `TRIGGER tick ON public.orders`. `within`: the kind of what it is `of`."""
    if kind not in ON_A_TABLE:
        return f"{keyword(kind)} {name}"
    return f"{keyword(kind)} {local(name, of)} ON {'DOMAIN ' if within == 'domain' else ''}{of}"


def identifier(name: str) -> str:
    """A name, quoted whatever it is."""
    return '"{}"'.format(name.replace('"', '""'))


def literal(text: str) -> str:
    """A string constant."""
    quoted = text.replace("'", "''")
    return f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{quoted}'"


def split_list(text: str | None) -> list[str]:
    """The items of a list that stands in an attribute, each once, in its order."""
    return [item for item in dict.fromkeys((text or "").split(", ")) if item]
