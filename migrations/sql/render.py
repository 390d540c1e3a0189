"""Parts of a statement, written out again as SQL. What cannot be written is empty."""

from collections.abc import Iterator
from functools import lru_cache

from postgast import PgQueryError, deparse
from postgast import pg_query_pb2 as pb
from postgast.walk import walk

from migrations.sql.definitions import ConstraintSql, Definition
from migrations.sql.parse import NotReadable, parse_one
from migrations.sql.tree import strings

_TIMING = {pb.CONSTR_ATTR_DEFERRABLE: " DEFERRABLE", pb.CONSTR_ATTR_DEFERRED: " INITIALLY DEFERRED"}
_IDENTITY = {"a": "ALWAYS", "d": "BY DEFAULT"}
_WHERE_DEFERRED = {pb.CONSTR_FOREIGN, pb.CONSTR_UNIQUE, pb.CONSTR_PRIMARY, pb.CONSTR_EXCLUSION}
_WRITTEN = {pb.CONSTR_CHECK, pb.CONSTR_NOTNULL, *_WHERE_DEFERRED}


@lru_cache(maxsize=8)
def definitions(text: str) -> tuple[Definition, ...]:
    """One for each part of an ALTER TABLE, in order; none of any other statement."""
    try:
        tree = parse_one(text)
    except NotReadable:
        return ()
    return tuple(_definition(node.alter_table_cmd) for node in tree.alter_table_stmt.cmds)


def _definition(cmd: pb.AlterTableCmd) -> Definition:
    part: pb.Node = getattr(cmd, "def")  # the field's name is a word of Python's
    if part.HasField("constraint"):
        return Definition(constraints=(_constraint(part.constraint),))
    if not part.HasField("column_def"):
        return Definition()
    column = part.column_def
    return Definition(
        _type(column),
        next((_expression(expression) for expression in _expressions(column)), ""),
        next((word for node in column.constraints if (word := _IDENTITY.get(node.constraint.generated_when))), ""),
        tuple(_constraint(constraint) for constraint in _as_of_table(column)),
    )


def _expressions(column: pb.ColumnDef) -> Iterator[pb.Node]:
    if column.HasField("raw_default"):
        yield column.raw_default
    yield from (node.constraint.raw_expr for node in column.constraints if node.constraint.contype == pb.CONSTR_DEFAULT)


def _as_of_table(column: pb.ColumnDef) -> Iterator[pb.Constraint]:
    """The constraints of a column as constraints of its table, each with what follows of its timing."""
    own = pb.Node(string=pb.String(sval=column.colname))
    made: list[pb.Constraint] = []
    for node in column.constraints:
        kind = node.constraint.contype
        if kind in _WRITTEN:
            constraint = pb.Constraint()
            constraint.CopyFrom(node.constraint)
            (constraint.fk_attrs if kind == pb.CONSTR_FOREIGN else constraint.keys).extend([own])
            made.append(constraint)
        elif kind in _TIMING and made:
            made[-1].deferrable = True
            made[-1].initdeferred |= kind == pb.CONSTR_ATTR_DEFERRED
        elif kind == pb.CONSTR_ATTR_NOT_ENFORCED and made:
            made[-1].is_enforced = False
    yield from made


def _constraint(constraint: pb.Constraint) -> ConstraintSql:
    bare = pb.Constraint()
    bare.CopyFrom(constraint)
    bare.conname = ""
    if bare.contype == pb.CONSTR_CHECK:
        bare.ClearField("keys")
    text = _written(_altered(pb.AT_AddConstraint, pb.Node(constraint=bare)), "ALTER TABLE t ADD ")
    timing = " DEFERRABLE" * bare.deferrable + " INITIALLY DEFERRED" * bare.initdeferred
    return ConstraintSql(text, _index(bare), timing, tuple(_named_after(bare)))


def _named_after(constraint: pb.Constraint) -> list[str]:
    if constraint.contype == pb.CONSTR_PRIMARY:
        return []
    if constraint.contype == pb.CONSTR_CHECK:
        found = (inner for _, inner in walk(constraint.raw_expr) if isinstance(inner, pb.ColumnRef))
        columns = {strings(reference.fields)[-1] for reference in found}
        return list(columns) if len(columns) == 1 else []
    return strings(constraint.fk_attrs) or strings(constraint.keys)


def _index(constraint: pb.Constraint) -> str:
    if not constraint.keys or constraint.without_overlaps or constraint.contype == pb.CONSTR_NOTNULL:
        return ""
    index = pb.IndexStmt(
        idxname="i",
        relation=_TABLE,
        access_method="btree",
        unique=True,
        index_params=[_indexed(node) for node in constraint.keys],
        index_including_params=[_indexed(node) for node in constraint.including],
        options=constraint.options,
        table_space=constraint.indexspace,
        nulls_not_distinct=constraint.nulls_not_distinct,
    )
    return _written(pb.Node(index_stmt=index), "CREATE UNIQUE INDEX i ON t USING btree ")


def _indexed(key: pb.Node) -> pb.Node:
    element = pb.IndexElem(name=key.string.sval, ordering=pb.SORTBY_DEFAULT, nulls_ordering=pb.SORTBY_NULLS_DEFAULT)
    return pb.Node(index_elem=element)


def _type(column: pb.ColumnDef) -> str:
    bare = pb.ColumnDef()
    bare.CopyFrom(column)
    bare.colname = "c"
    for field in ("constraints", "raw_default"):
        bare.ClearField(field)
    return _written(_altered(pb.AT_AddColumn, pb.Node(column_def=bare)), "ALTER TABLE t ADD COLUMN c ")


def _expression(node: pb.Node) -> str:
    select = pb.SelectStmt(
        target_list=[pb.Node(res_target=pb.ResTarget(val=node))],
        limit_option=pb.LIMIT_OPTION_DEFAULT,
        op=pb.SETOP_NONE,
    )
    return _written(pb.Node(select_stmt=select), "SELECT ")


_TABLE = pb.RangeVar(relname="t", inh=True, relpersistence="p")


def _altered(subtype: int, definition: pb.Node) -> pb.Node:
    cmd = pb.AlterTableCmd(subtype=subtype, behavior=pb.DROP_RESTRICT, **{"def": definition})
    stmt = pb.AlterTableStmt(relation=_TABLE, cmds=[pb.Node(alter_table_cmd=cmd)], objtype=pb.OBJECT_TABLE)
    return pb.Node(alter_table_stmt=stmt)


def _written(stmt: pb.Node, head: str) -> str:
    try:
        text: str = deparse(pb.ParseResult(stmts=[pb.RawStmt(stmt=stmt)]))
    except PgQueryError:
        return ""
    return text.removeprefix(head) if text.startswith(head) else ""
