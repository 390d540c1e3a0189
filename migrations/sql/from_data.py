"""Rows: SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node, walk

from migrations.sql import actions as a
from migrations.sql.harmless import HARMLESS
from migrations.sql.names import Name
from migrations.sql.secrets import setting
from migrations.sql.tree import TOO_MANY, calls_in, name_of, relations_in, strings, text_of


def select(stmt: pb.SelectStmt) -> Iterator[a.Action]:
    """SELECT, VALUES, SELECT INTO. A call of `set_config` is told as the setting that it changes."""
    if stmt.HasField("into_clause"):
        into = stmt.into_clause.rel
        yield a.CreateTable(name_of(into), temporary=into.relpersistence == "t", filled=True)
    yield from _settings(stmt)
    yield a.Query(called_in(stmt), relations_in(stmt), tuple(_row_locks(stmt)) if stmt.locking_clause else ())


def called_in(stmt: Message) -> tuple[str, ...]:
    """The functions that a statement calls and that are not known to be harmless."""
    calls = {"the rest of it" if name == TOO_MANY else str(name) for name in calls_in(stmt) if not _known(name)}
    return tuple(sorted(calls))


def _row_locks(stmt: pb.SelectStmt) -> Iterator[Name]:
    """The tables of FOR UPDATE and its like: those after OF, by table or alias, or all behind FROM."""
    tables = [part for node in stmt.from_clause for _, part in walk(node) if isinstance(part, pb.RangeVar)]
    for node in stmt.locking_clause:
        chosen = {rel.range_var.relname for rel in node.locking_clause.locked_rels}
        yield from (name_of(t) for t in tables if not chosen or (t.alias.aliasname or t.relname) in chosen)


def _known(name: Name) -> bool:
    return name.schema in (None, "pg_catalog") and name.name in HARMLESS


def _settings(stmt: pb.SelectStmt) -> Iterator[a.Action]:
    for node in stmt.target_list:
        call = unwrap_node(node.res_target.val)
        if isinstance(call, pb.FuncCall) and call.funcname[-1].string.sval == "set_config" and len(call.args) == 3:
            name, value, local = (text_of(arg) for arg in call.args)
            yield from setting((name or "*").lower(), value, local=local == "true")


def insert(stmt: pb.InsertStmt) -> Iterator[a.Insert]:
    """INSERT."""
    rows = len(stmt.select_stmt.select_stmt.values_lists)
    yield a.Insert(name_of(stmt.relation), rows, relations_in(stmt), called_in(stmt))


def update(stmt: pb.UpdateStmt) -> Iterator[a.Update]:
    """UPDATE. What stands behind FROM narrows nothing: only a WHERE ties it to the table."""
    columns = tuple(node.res_target.name for node in stmt.target_list)
    kept = tuple(node.res_target.name for node in stmt.target_list if _keeps(node.res_target))
    only, reads, calls = not stmt.relation.inh, relations_in(stmt), called_in(stmt)
    yield a.Update(name_of(stmt.relation), columns, _no_condition(stmt), only, reads, kept, calls)


def _keeps(target: pb.ResTarget) -> bool:
    """`SET c = coalesce(c, …)`."""
    first = next(iter(target.val.coalesce_expr.args), pb.Node())
    return [node.string.sval for node in first.column_ref.fields][-1:] == [target.name]


def delete(stmt: pb.DeleteStmt) -> Iterator[a.Delete]:
    """DELETE. `USING` alone narrows nothing."""
    only, reads, calls = not stmt.relation.inh, relations_in(stmt), called_in(stmt)
    yield a.Delete(name_of(stmt.relation), _no_condition(stmt), only, reads, calls)


def _no_condition(stmt: pb.UpdateStmt | pb.DeleteStmt) -> bool:
    """There is no WHERE, or one that says nothing."""
    return not stmt.HasField("where_clause") or _always(stmt.where_clause)


def _always(condition: pb.Node) -> bool:
    """Whether a condition holds for every row, as far as one sees at a glance: `true`, `1 = 1`, and what joins such.

    `id = id` leaves out nulls only, and is written for the sake of a WHERE.
    """
    inner = unwrap_node(condition)
    if isinstance(inner, pb.BoolExpr) and inner.boolop != pb.NOT_EXPR:
        return (all if inner.boolop == pb.AND_EXPR else any)(_always(part) for part in inner.args)
    if isinstance(inner, pb.A_Expr) and [node.string.sval for node in inner.name] == ["="]:
        left, right = text_of(inner.lexpr), text_of(inner.rexpr)
        column, other = (strings(side.column_ref.fields) for side in (inner.lexpr, inner.rexpr))
        return (left is not None and left == right) or (column != [] and column == other)
    return text_of(condition) in ("true", "t")


def merge(stmt: pb.MergeStmt) -> Iterator[a.Merge | a.Update | a.Delete]:
    """MERGE. Where its rows are joined without a condition, it deletes or updates all of them."""
    table = name_of(stmt.relation)
    branches = [node.merge_when_clause for node in stmt.merge_when_clauses]
    deletes = any(when.command_type == pb.CMD_DELETE and not when.HasField("condition") for when in branches)
    yield a.Merge(table, relations_in(stmt), called_in(stmt), deletes)
    for when in branches if _always(stmt.join_condition) else ():
        if when.command_type == pb.CMD_DELETE and not when.HasField("condition"):
            yield a.Delete(table, everything=True)
        elif when.command_type == pb.CMD_UPDATE and not when.HasField("condition"):
            yield a.Update(table, tuple(target.res_target.name for target in when.target_list), everything=True)


def truncate(stmt: pb.TruncateStmt) -> Iterator[a.Action]:
    """TRUNCATE."""
    for node in stmt.relations:
        cascade = stmt.behavior == pb.DROP_CASCADE
        yield a.Truncate(name_of(node.range_var), cascade=cascade, only=not node.range_var.inh)


def copy(stmt: pb.CopyStmt) -> Iterator[a.Action]:
    """COPY."""
    table = name_of(stmt.relation) if stmt.HasField("relation") else None
    yield a.Copy(table, stmt.is_from, not stmt.filename, relations_in(stmt), called_in(stmt), stmt.is_program)


def data_within(stmt: Message) -> Iterator[a.Action]:
    """What is changed inside a statement: by the parts of its WITH, or of its query's; by the query of a COPY."""
    for part in (stmt, *_queries(stmt)):
        if part is not stmt:
            yield from _written(part)
        if "with_clause" in part.DESCRIPTOR.fields_by_name:
            for node in part.with_clause.ctes:
                yield from _written(unwrap_node(node.common_table_expr.ctequery))


def _queries(stmt: Message) -> Iterator[Message]:
    """The query that a statement runs itself; that of a view or a rule is run by others."""
    match stmt:
        case pb.CreateTableAsStmt() | pb.CopyStmt():
            yield unwrap_node(stmt.query)


def _written(query: Message) -> Iterator[a.Action]:
    """What it reads, the whole statement reads."""
    make = _WRITES.get(type(query))
    for action in make(query) if make else ():
        yield replace(action, reads=())


_WRITES: dict[type[Message], Callable[[Any], Iterator[a.Insert | a.Update | a.Delete | a.Merge]]] = {
    pb.InsertStmt: insert,
    pb.UpdateStmt: update,
    pb.DeleteStmt: delete,
    pb.MergeStmt: merge,
}
