"""Reading PostgreSQL's parse tree: names, types, constants."""

from collections.abc import Iterable
from itertools import islice

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node, walk

from migrations.sql.names import Name, shown

LOOKED_AT = 50_000
"""Nodes of one statement that are looked at in search of function calls."""
READ_AT = 5_000
"""Nodes of one statement that are looked at in search of the tables that it reads."""
TOO_MANY = Name(None, "…")
"""Stands for the calls in a statement with more nodes than that."""

_TYPES = {
    "bool": "boolean",
    "bpchar": "character",
    "float4": "real",
    "float8": "double precision",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
}


# The fields by which a statement leads to what it writes to, and to what only repeats a name.
_NOT_READ = ("relation", "rel", "locked_rels")

_OBJECTS = {
    pb.OBJECT_MATVIEW: "materialized view",
    pb.OBJECT_FDW: "foreign data wrapper",
    pb.OBJECT_FOREIGN_SERVER: "server",
    pb.OBJECT_STATISTIC_EXT: "statistics",
    pb.OBJECT_TABCONSTRAINT: "constraint",
    pb.OBJECT_DOMCONSTRAINT: "domain constraint",
    pb.OBJECT_OPCLASS: "operator class",
    pb.OBJECT_OPFAMILY: "operator family",
    pb.OBJECT_TSCONFIGURATION: "text search configuration",
    pb.OBJECT_TSDICTIONARY: "text search dictionary",
    pb.OBJECT_TSPARSER: "text search parser",
    pb.OBJECT_TSTEMPLATE: "text search template",
}


def object_words(kind: int) -> str:
    """The kind of a thing as SQL says it, in lower case: `table`, `materialized view`."""
    return _OBJECTS.get(kind) or pb.ObjectType.Name(kind).removeprefix("OBJECT_").replace("_", " ").lower()


def strings(nodes: Iterable[pb.Node]) -> list[str]:
    """The texts of a list of string nodes; others are left out."""
    return [node.string.sval for node in nodes if node.HasField("string")]


def name_of(relation: pb.RangeVar) -> Name:
    """The name of a table and its like."""
    return Name(relation.schemaname or None, relation.relname)


def name_from(node: pb.Node) -> Name:
    """The name that a node of any usual form holds: a string, a list of them, a type, a function."""
    inner = unwrap_node(node)
    if isinstance(inner, pb.String):
        return Name(None, inner.sval)
    if isinstance(inner, pb.TypeName):
        return qualified(strings(inner.names))
    if isinstance(inner, pb.ObjectWithArgs):
        return qualified(strings(inner.objname))
    if isinstance(inner, pb.List):
        return qualified(strings(inner.items))
    return Name(None, "?")


def qualified(parts: list[str]) -> Name:
    """`a.b` or `b`; of `database.a.b` the last two."""
    if not parts:
        return Name(None, "?")
    return Name(parts[-2] if len(parts) > 1 else None, parts[-1])


def type_words(type_name: pb.TypeName) -> str:
    """A type as a person would write it: `varchar(20)`, `integer[]`."""
    parts = strings(type_name.names)
    if len(parts) == 2 and parts[0] == "pg_catalog":
        words = _TYPES.get(parts[1], parts[1])
    else:
        words = ".".join(shown(part) for part in parts)
    sizes = [str(node.a_const.ival.ival) for node in type_name.typmods if node.a_const.HasField("ival")]
    if sizes and words != "interval":
        words += f"({','.join(sizes)})"
    return words + "[]" * len(type_name.array_bounds)


def text_of(node: pb.Node) -> str | None:
    """A constant as text; None for anything else."""
    inner = unwrap_node(node)
    if isinstance(inner, pb.TypeCast):
        return text_of(inner.arg)
    if isinstance(inner, pb.String):
        return str(inner.sval)
    if isinstance(inner, pb.Boolean):
        return str(inner.boolval).lower()
    if isinstance(inner, pb.Integer):
        return str(inner.ival)
    if not isinstance(inner, pb.A_Const) or inner.isnull:
        return None
    return _constant(inner)


def _constant(const: pb.A_Const) -> str | None:
    match const.WhichOneof("val"):
        case "ival":
            return str(const.ival.ival)
        case "fval":
            return str(const.fval.fval)
        case "boolval":
            return str(const.boolval.boolval).lower()
        case "sval":
            return str(const.sval.sval)
        case "bsval":
            return str(const.bsval.bsval)
    return None


def option(options: Iterable[pb.Node], name: str) -> str | None:
    """The value of a `WITH (name = value)` and its like as text; empty where it stands alone, None where it is not."""
    for node in options:
        if node.def_elem.defname == name:
            return (text_of(node.def_elem.arg) or "") if node.def_elem.HasField("arg") else ""
    return None


def switched_on(options: Iterable[pb.Node], name: str) -> bool:
    """Whether an option stands there and is not said to be off."""
    value = option(options, name)
    return value is not None and value.lower() not in ("false", "off", "0", "no")


def calls_in(node: Message) -> list[Name]:
    """Every function that is called anywhere in a tree, up to a bound: past it, the last one is TOO_MANY."""
    found = [name_from_call(inner) for _, inner in islice(walk(node), LOOKED_AT) if isinstance(inner, pb.FuncCall)]
    past_the_bound = next(islice(walk(node), LOOKED_AT, None), None) is not None
    return [*found, TOO_MANY] if past_the_bound else found


def relations_in(node: Message) -> tuple[Name, ...]:
    """The relations that a statement reads, up to a bound: not what it writes to, nor a name that a WITH gives."""
    given: set[str] = set()
    names: dict[Name, None] = {}
    for field, part in islice(walk(node), READ_AT):
        if isinstance(part, pb.CommonTableExpr):
            given.add(part.ctename)
        elif isinstance(part, pb.RangeVar) and field not in _NOT_READ:
            names[name_of(part)] = None
        elif isinstance(part, pb.RangeTableSample):
            names[name_of(part.relation.range_var)] = None
    return tuple(name for name in names if name.schema or name.name not in given)


def reads_column(expression: Message, table: Name, column: str) -> bool:
    """Whether it names the column, or may mean it by the whole row, or by more than is looked at."""
    parts = list(islice(walk(expression), LOOKED_AT + 1))
    references = [part.fields for _, part in parts if isinstance(part, pb.ColumnRef)]
    stars = any(fields[-1].HasField("a_star") for fields in references)
    return stars or len(parts) > LOOKED_AT or any(strings(f)[-1:] in ([column], [table.name]) for f in references)


def name_from_call(call: pb.FuncCall) -> Name:
    """The name of the called function."""
    return qualified(strings(call.funcname))
