"""Rows: SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY."""

from collections.abc import Iterator

from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from migrations.sql import actions as a
from migrations.sql.names import Name
from migrations.sql.tree import TOO_MANY, calls_in, name_of, text_of

_HARMLESS = frozenset(
    """
    abs array_agg array_length avg btrim ceil coalesce concat concat_ws count currval current_setting date_trunc
    date_part dense_rank extract first_value floor format gen_random_uuid generate_series greatest initcap json_agg
    json_build_object jsonb_agg jsonb_build_object lag lastval last_value lead least left length lower lpad ltrim max
    md5 min nextval now ntile nullif position pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock
    pg_get_serial_sequence pg_notify pg_sleep pg_try_advisory_lock pg_try_advisory_xact_lock pg_typeof random rank
    regexp_replace replace right round row_number row_to_json rpad rtrim set_config setval split_part string_agg
    substr substring sum to_char to_date to_json to_jsonb to_regclass to_regtype to_timestamp trim trunc unnest upper
    version
    """.split()  # noqa: SIM905 (one on each line would hide the file behind them)
)


def select(stmt: pb.SelectStmt) -> Iterator[a.Action]:
    """SELECT, VALUES, SELECT INTO. A call of `set_config` is told as the setting that it changes."""
    if stmt.HasField("into_clause"):
        into = stmt.into_clause.rel
        yield a.CreateTable(name_of(into), temporary=into.relpersistence == "t", filled=True)
    yield from _settings(stmt)
    calls = {"the rest of it" if name == TOO_MANY else str(name) for name in calls_in(stmt) if not _known(name)}
    yield a.Query(tuple(sorted(calls)))


def _known(name: Name) -> bool:
    return name.schema == "pg_catalog" or (name.schema is None and name.name in _HARMLESS)


def _settings(stmt: pb.SelectStmt) -> Iterator[a.Action]:
    for node in stmt.target_list:
        call = unwrap_node(node.res_target.val)
        if isinstance(call, pb.FuncCall) and call.funcname[-1].string.sval == "set_config" and len(call.args) == 3:
            setting, value, local = (text_of(arg) for arg in call.args)
            yield a.Set((setting or "*").lower(), value, local=local == "true")


def insert(stmt: pb.InsertStmt) -> Iterator[a.Action]:
    """INSERT."""
    yield a.Insert(name_of(stmt.relation), rows=len(stmt.select_stmt.select_stmt.values_lists))


def update(stmt: pb.UpdateStmt) -> Iterator[a.Action]:
    """UPDATE. A join narrows it, like a WHERE."""
    columns = tuple(node.res_target.name for node in stmt.target_list)
    everything = not stmt.HasField("where_clause") and not stmt.from_clause
    yield a.Update(name_of(stmt.relation), columns, everything=everything)


def delete(stmt: pb.DeleteStmt) -> Iterator[a.Action]:
    """DELETE. `USING` alone narrows nothing that one can see, but it is not a slip of the pen either."""
    everything = not stmt.HasField("where_clause") and not stmt.using_clause
    yield a.Delete(name_of(stmt.relation), everything=everything)


def merge(stmt: pb.MergeStmt) -> Iterator[a.Action]:
    """MERGE."""
    yield a.Merge(name_of(stmt.relation))


def truncate(stmt: pb.TruncateStmt) -> Iterator[a.Action]:
    """TRUNCATE."""
    for node in stmt.relations:
        yield a.Truncate(name_of(node.range_var), cascade=stmt.behavior == pb.DROP_CASCADE)


def copy(stmt: pb.CopyStmt) -> Iterator[a.Action]:
    """COPY."""
    table = name_of(stmt.relation) if stmt.HasField("relation") else None
    yield a.Copy(table, into=stmt.is_from, from_client=not stmt.filename)


def data_in_with(clause: pb.WithClause) -> Iterator[a.Action]:
    """What the parts of a WITH change: INSERT, UPDATE and DELETE may hide there."""
    for node in clause.ctes:
        inner = unwrap_node(node.common_table_expr.ctequery)
        if isinstance(inner, pb.InsertStmt):
            yield from insert(inner)
        elif isinstance(inner, pb.UpdateStmt):
            yield from update(inner)
        elif isinstance(inner, pb.DeleteStmt):
            yield from delete(inner)
