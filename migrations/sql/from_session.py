"""The session and the server: settings, transactions, code that is run, maintenance."""

import re
from collections.abc import Iterator

from postgast import pg_query_pb2 as pb

from migrations.sql import actions as a
from migrations.sql.names import Name, printable
from migrations.sql.secrets import setting
from migrations.sql.tree import name_from_call, name_of, option, switched_on, text_of

_TRANSACTIONS: dict[int, a.TransactionKind] = {
    pb.TRANS_STMT_BEGIN: "begin",
    pb.TRANS_STMT_START: "begin",
    pb.TRANS_STMT_COMMIT: "commit",
    pb.TRANS_STMT_ROLLBACK: "rollback",
    pb.TRANS_STMT_SAVEPOINT: "savepoint",
    pb.TRANS_STMT_RELEASE: "release",
    pb.TRANS_STMT_ROLLBACK_TO: "rollback to",
}

_REINDEX: dict[int, a.ReindexKind] = {
    pb.REINDEX_OBJECT_INDEX: "index",
    pb.REINDEX_OBJECT_TABLE: "table",
    pb.REINDEX_OBJECT_SCHEMA: "schema",
    pb.REINDEX_OBJECT_SYSTEM: "system",
    pb.REINDEX_OBJECT_DATABASE: "database",
}

_SECRET_SETTING = re.compile("password|secret|token|conninfo|key", re.IGNORECASE)


def set_variable(stmt: pb.VariableSetStmt) -> Iterator[a.Action]:
    """SET, RESET, SET TRANSACTION, SET SESSION CHARACTERISTICS."""
    if stmt.kind == pb.VAR_SET_MULTI and stmt.name != "SESSION CHARACTERISTICS":
        yield a.Transaction("set")
    elif stmt.kind == pb.VAR_SET_MULTI:
        for node in stmt.args:
            name = node.def_elem.defname.replace("transaction", "default_transaction", 1)
            yield a.Set(name, text_of(node.def_elem.arg))
    elif stmt.kind == pb.VAR_RESET_ALL:
        yield a.Set("*")
    else:
        values = [text_of(node) or "?" for node in stmt.args]
        yield from setting(stmt.name.lower(), ", ".join(values) if values else None, local=stmt.is_local)


def transaction(stmt: pb.TransactionStmt) -> Iterator[a.Action]:
    """BEGIN, COMMIT, ROLLBACK, SAVEPOINT and what prepares or ends a prepared transaction."""
    yield a.Transaction(_TRANSACTIONS.get(stmt.kind, "prepare"), chain=stmt.chain, name=stmt.savepoint_name)


def discard(stmt: pb.DiscardStmt) -> Iterator[a.Action]:
    """DISCARD. Only ALL changes settings, and it cannot be in a transaction."""
    if stmt.target == pb.DISCARD_ALL:
        yield a.Set("*")
        yield a.Other("discard all", alone=True)
    else:
        yield a.Other("discard")


def run_code(stmt: pb.DoStmt) -> Iterator[a.Action]:
    """DO."""
    yield a.RunCode(option(stmt.args, "language") or "plpgsql", option(stmt.args, "as") or "")


def call(stmt: pb.CallStmt) -> Iterator[a.Action]:
    """CALL."""
    yield a.Call(str(name_from_call(stmt.funccall)))


def execute(stmt: pb.ExecuteStmt) -> Iterator[a.Action]:
    """EXECUTE of a prepared statement."""
    yield a.Call(stmt.name)


def lock_table(stmt: pb.LockStmt) -> Iterator[a.Action]:
    """LOCK TABLE."""
    modes = (
        "",
        "ACCESS SHARE",
        "ROW SHARE",
        "ROW EXCLUSIVE",
        "SHARE UPDATE EXCLUSIVE",
        "SHARE",
        "SHARE ROW EXCLUSIVE",
        "EXCLUSIVE",
        "ACCESS EXCLUSIVE",
    )
    for node in stmt.relations:
        yield a.LockTable(name_of(node.range_var), modes[stmt.mode], only=not node.range_var.inh)


def reindex(stmt: pb.ReindexStmt) -> Iterator[a.Action]:
    """REINDEX."""
    name = name_of(stmt.relation) if stmt.HasField("relation") else Name(None, stmt.name) if stmt.name else None
    yield a.Reindex(_REINDEX[stmt.kind], name, concurrently=switched_on(stmt.params, "concurrently"))


def vacuum(stmt: pb.VacuumStmt) -> Iterator[a.Action]:
    """VACUUM and ANALYZE."""
    tables: list[Name | None] = [name_of(node.vacuum_relation.relation) for node in stmt.rels]
    what = "analyze"
    if stmt.is_vacuumcmd:
        what = "vacuum full" if switched_on(stmt.options, "full") else "vacuum"
    for table in tables or [None]:
        yield a.Maintain(what, table, alone=stmt.is_vacuumcmd)


def cluster(stmt: pb.ClusterStmt) -> Iterator[a.Action]:
    """CLUSTER."""
    table = name_of(stmt.relation) if stmt.HasField("relation") else None
    yield a.Maintain("cluster", table, alone=table is None)


def refresh(stmt: pb.RefreshMatViewStmt) -> Iterator[a.Action]:
    """REFRESH MATERIALIZED VIEW. Its CONCURRENTLY may be in a transaction."""
    yield a.Maintain("refresh materialized view", name_of(stmt.relation), concurrently=stmt.concurrent)


def alter_system(stmt: pb.AlterSystemStmt) -> Iterator[a.Action]:
    """ALTER SYSTEM."""
    name = stmt.setstmt.name
    yield a.Other(f"alter system {name}", alone=True)
    if _SECRET_SETTING.search(name) and any("password" in (text_of(node) or "") for node in stmt.setstmt.args):
        yield a.SecretGiven(f"the server's setting {printable(name)}")
