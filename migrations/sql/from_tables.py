"""Tables and indexes: CREATE TABLE, ALTER TABLE, CREATE INDEX."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from migrations.sql import actions as a
from migrations.sql.from_data import called_in
from migrations.sql.names import Name
from migrations.sql.tree import calls_in, name_of, object_words, reads_column, relations_in, strings, type_words

_ATTRIBUTES = (
    pb.CONSTR_ATTR_DEFERRABLE,
    pb.CONSTR_ATTR_NOT_DEFERRABLE,
    pb.CONSTR_ATTR_DEFERRED,
    pb.CONSTR_ATTR_IMMEDIATE,
    pb.CONSTR_ATTR_ENFORCED,
    pb.CONSTR_ATTR_NOT_ENFORCED,
)

_FULL = {"trig": "trigger", "un logged": "unlogged", "table space": "tablespace"}
_SHORT_FOR = re.compile(rf"\b(?:{'|'.join(_FULL)})\b")

ConstraintKind = Literal["check", "foreign key", "unique", "primary key", "exclude", "not null"]

_CONSTRAINTS: dict[int, ConstraintKind] = {
    pb.CONSTR_CHECK: "check",
    pb.CONSTR_FOREIGN: "foreign key",
    pb.CONSTR_UNIQUE: "unique",
    pb.CONSTR_PRIMARY: "primary key",
    pb.CONSTR_EXCLUSION: "exclude",
    pb.CONSTR_NOTNULL: "not null",
}


def create_table(stmt: pb.CreateStmt) -> Iterator[a.Action]:
    """CREATE TABLE, also of a partition and of a foreign table."""
    elements = [unwrap_node(node) for node in stmt.table_elts]
    parents = tuple(name_of(node.range_var) for node in stmt.inh_relations)
    partition = stmt.HasField("partbound")
    yield a.CreateTable(
        name_of(stmt.relation),
        tuple(_column(element) for element in elements if isinstance(element, pb.ColumnDef)),
        tuple(_constraint(element) for element in elements if isinstance(element, pb.Constraint)),
        partition_of=parents[0] if parents and partition else None,
        if_not_exists=stmt.if_not_exists,
        temporary=stmt.relation.relpersistence == "t",
        inherits=() if partition else parents,
        reads=tuple(name_of(part.relation) for part in elements if isinstance(part, pb.TableLikeClause)),
    )


def create_table_as(stmt: pb.CreateTableAsStmt) -> Iterator[a.Action]:
    """CREATE TABLE … AS, CREATE MATERIALIZED VIEW."""
    name = name_of(stmt.into.rel)
    if stmt.objtype == pb.OBJECT_MATVIEW:
        yield a.Create("materialized view", name, reads=relations_in(stmt))
    else:
        temporary = stmt.into.rel.relpersistence == "t"
        maybe, filled, reads = stmt.if_not_exists, not stmt.into.skip_data, relations_in(stmt)
        calls = called_in(stmt)
        yield a.CreateTable(name, if_not_exists=maybe, temporary=temporary, filled=filled, reads=reads, calls=calls)


def create_index(stmt: pb.IndexStmt) -> Iterator[a.Action]:
    """CREATE INDEX."""
    table = name_of(stmt.relation)
    yield a.CreateIndex(
        table,
        Name(table.schema, stmt.idxname) if stmt.idxname else None,
        tuple(node.index_elem.name or "expression" for node in stmt.index_params),
        unique=stmt.unique,
        concurrently=stmt.concurrent,
        if_not_exists=stmt.if_not_exists,
        partial=stmt.HasField("where_clause"),
        only=not stmt.relation.inh,
    )


def _column(column: pb.ColumnDef) -> a.Column:
    constraints = [node.constraint for node in column.constraints]
    default = next((c for c in constraints if c.contype == pb.CONSTR_DEFAULT), None)
    return a.Column(
        column.colname,
        type_words(column.type_name),
        not_null=any(c.contype in (pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY) for c in constraints),
        default=None if default is None else tuple(name.name for name in calls_in(default.raw_expr)),
        generated=next((word for c in constraints if (word := _generated(c))), None),
        constraints=tuple(_constraints(column.colname, constraints)),
    )


def _generated(constraint: pb.Constraint) -> Literal["identity", "stored", "virtual"] | None:
    if constraint.contype == pb.CONSTR_IDENTITY:
        return "identity"
    if constraint.contype == pb.CONSTR_GENERATED:
        return "virtual" if constraint.generated_kind == "v" else "stored"
    return None


def _constraints(column: str, constraints: Sequence[pb.Constraint]) -> Iterator[a.Constraint]:
    """Those of one column; behind each may stand that it is not enforced."""
    for constraint, *after in (constraints[n:] for n in range(len(constraints))):
        if constraint.contype in _CONSTRAINTS:
            attributes = itertools.takewhile(lambda following: following.contype in _ATTRIBUTES, after)
            idle = any(attribute.contype == pb.CONSTR_ATTR_NOT_ENFORCED for attribute in attributes)
            made = _constraint(constraint, column)
            yield replace(made, not_valid=True) if idle else made


def _constraint(constraint: pb.Constraint, column: str = "") -> a.Constraint:
    """A constraint of a table, or of one column."""
    kind = _CONSTRAINTS.get(constraint.contype, "check")
    own = [column] if column and kind != "check" else []
    return a.Constraint(
        kind,
        constraint.conname or None,
        tuple(strings(constraint.fk_attrs) or strings(constraint.keys) or own),
        name_of(constraint.pktable) if constraint.HasField("pktable") else None,
        not_valid=constraint.skip_validation,
        using_index=constraint.indexname or None,
        proves_not_null=tuple(_not_null_columns(constraint.raw_expr)),
    )


def _not_null_columns(expression: pb.Node) -> Iterator[str]:
    """The columns of `a IS NOT NULL [AND b IS NOT NULL …]`."""
    if expression.HasField("bool_expr") and expression.bool_expr.boolop == pb.AND_EXPR:
        for part in expression.bool_expr.args:
            yield from _not_null_columns(part)
    elif expression.HasField("null_test") and expression.null_test.nulltesttype == pb.IS_NOT_NULL:
        yield from strings(expression.null_test.arg.column_ref.fields)[-1:]


def alter_table(stmt: pb.AlterTableStmt) -> Iterator[a.Action]:
    """ALTER TABLE, one action for each of its parts; so too of what is no table (INDEX, VIEW, SEQUENCE)."""
    table = name_of(stmt.relation)
    for node in stmt.cmds:
        cmd = node.alter_table_cmd
        if stmt.objtype not in (pb.OBJECT_TABLE, pb.OBJECT_FOREIGN_TABLE):
            kind = object_words(stmt.objtype)
            yield a.AlterRelation(kind, table, _part_words(cmd), _options(cmd), _tables(cmd))
            continue
        make = _PARTS.get(cmd.subtype)
        action = make(table, cmd) if make else _other_part(table, cmd)
        yield action if stmt.relation.inh else _only(action)


def _only(action: Any) -> a.Action:
    """The same without what inherits from the table, where that makes a difference."""
    found: a.Action = replace(action, only=True) if hasattr(action, "only") else action
    return found


def _other_part(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    return a.AlterTable(table, _part_words(cmd), cmd.name or None, _options(cmd), _tables(cmd))


def _options(cmd: pb.AlterTableCmd) -> tuple[str, ...]:
    """The names of storage parameters."""
    return tuple(node.def_elem.defname for node in _definition(cmd).list.items if node.HasField("def_elem"))


def _tables(cmd: pb.AlterTableCmd) -> tuple[Name, ...]:
    """The table to inherit from, or the partition of an index."""
    definition = _definition(cmd)
    if definition.HasField("range_var"):
        return (name_of(definition.range_var),)
    return (name_of(definition.partition_cmd.name),) if definition.HasField("partition_cmd") else ()


def _definition(cmd: pb.AlterTableCmd) -> pb.Node:
    definition: pb.Node = getattr(cmd, "def")  # the field's name is a word of Python's
    return definition


def _part_words(cmd: pb.AlterTableCmd) -> str:
    """`AT_EnableTrigAll` → `enable trigger all`."""
    name = pb.AlterTableType.Name(cmd.subtype).removeprefix("AT_")
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()
    return _SHORT_FOR.sub(lambda match: _FULL[match.group()], words)


def _add_column(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    return a.AddColumn(table, _column(_definition(cmd).column_def), if_not_exists=cmd.missing_ok)


def _drop_column(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    return a.DropColumn(table, cmd.name, cascade=cmd.behavior == pb.DROP_CASCADE)


def _drop_constraint(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    return a.DropConstraint(table, cmd.name, cascade=cmd.behavior == pb.DROP_CASCADE)


def _alter_type(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    column = _definition(cmd).column_def
    type = type_words(column.type_name)
    using = column.HasField("raw_default")
    computed = using and not _casts(column.raw_default, cmd.name, type)
    unread = using and not reads_column(column.raw_default, table, cmd.name)
    collated = column.HasField("coll_clause")
    return a.AlterType(table, cmd.name, type, using, computed=computed, collated=collated, unread=unread)


def _casts(expression: pb.Node, column: str, type: str) -> bool:
    """Whether an expression is the column itself, or its cast to the type."""
    if expression.HasField("type_cast"):
        cast = expression.type_cast
        return type_words(cast.type_name) == type and _casts(cast.arg, column, type)
    return strings(expression.column_ref.fields) == [column]


def _alter_constraint(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    constraint = _definition(cmd).atalter_constraint
    what = "alter constraint"
    if constraint.alter_enforceability:
        what = "enforce constraint" if constraint.is_enforced else "stop enforcing constraint"
    return a.AlterTable(table, what, constraint.conname)


def _attach(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    return a.AttachPartition(table, name_of(_definition(cmd).partition_cmd.name))


def _detach(table: Name, cmd: pb.AlterTableCmd) -> a.Action:
    part = _definition(cmd).partition_cmd
    return a.DetachPartition(table, name_of(part.name), concurrently=part.concurrent)


_PARTS: dict[int, Callable[[Name, pb.AlterTableCmd], a.Action]] = {
    pb.AT_AddColumn: _add_column,
    pb.AT_DropColumn: _drop_column,
    pb.AT_AlterColumnType: _alter_type,
    pb.AT_SetNotNull: lambda table, cmd: a.SetNotNull(table, cmd.name),
    pb.AT_DropNotNull: lambda table, cmd: a.DropNotNull(table, cmd.name),
    pb.AT_ColumnDefault: lambda table, cmd: a.SetDefault(table, cmd.name, dropped=not cmd.HasField("def")),
    pb.AT_AddConstraint: lambda table, cmd: a.AddConstraint(table, _constraint(_definition(cmd).constraint)),
    pb.AT_ValidateConstraint: lambda table, cmd: a.ValidateConstraint(table, cmd.name),
    pb.AT_DropConstraint: _drop_constraint,
    pb.AT_AlterConstraint: _alter_constraint,
    pb.AT_AttachPartition: _attach,
    pb.AT_DetachPartition: _detach,
}
