"""Statements that are their own inverse but for their names: RENAME and SET SCHEMA, the other way round."""

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from postgast import PgQueryError, deparse
from postgast import pg_query_pb2 as pb

from migrations.sql.parse import NotReadable, parse_one

PUBLIC = "public"


def mirrored(text: str, home: str | None = None) -> str:
    """The statement that gives old names back; empty if it is of another kind.

    `home`: the schema in which the script has unqualified names looked for, if it says.
    """
    try:
        tree = parse_one(text)
    except NotReadable:
        return ""
    if tree.HasField("rename_stmt"):
        done = _renamed(tree.rename_stmt, home)
    elif tree.HasField("alter_object_schema_stmt"):
        done = _moved(tree.alter_object_schema_stmt, home)
    else:
        done = _relabelled(tree.alter_enum_stmt, home) if tree.HasField("alter_enum_stmt") else False
    return _written(tree) if done else ""


def _written(tree: pb.Node) -> str:
    try:
        text: str = deparse(pb.ParseResult(stmts=[pb.RawStmt(stmt=tree)]))
    except PgQueryError:
        return ""
    return text


def _renamed(stmt: pb.RenameStmt, home: str | None) -> bool:
    stmt.missing_ok = False
    if stmt.subname:
        stmt.subname, stmt.newname = stmt.newname, stmt.subname
        _within(stmt, home)
        return True
    if stmt.HasField("relation"):
        stmt.relation.relname, stmt.newname = stmt.newname, stmt.relation.relname
        _within(stmt, home)
        return True
    parts = _parts(stmt.object)
    if not parts and not stmt.object.HasField("string"):
        return False
    last = parts[-1].string if parts else stmt.object.string
    last.sval, stmt.newname = stmt.newname, last.sval
    _within(stmt, home)
    return True


def _moved(stmt: pb.AlterObjectSchemaStmt, home: str | None) -> bool:
    stmt.missing_ok = False
    if stmt.HasField("relation"):
        old = stmt.relation.schemaname or home or PUBLIC
        stmt.relation.schemaname, stmt.newschema = stmt.newschema, old
        return True
    if stmt.object.HasField("string"):  # an extension
        stmt.newschema = home or PUBLIC
        return True
    parts = _parts(stmt.object)
    if not parts:
        return False
    if len(parts) == 1:
        parts.insert(0, pb.Node(string=pb.String(sval=home or PUBLIC)))
    schema = parts[-2].string
    schema.sval, stmt.newschema = stmt.newschema, schema.sval
    return True


def _relabelled(stmt: pb.AlterEnumStmt, home: str | None) -> bool:
    if not stmt.old_val:
        return False
    stmt.old_val, stmt.new_val = stmt.new_val, stmt.old_val
    if home and len(stmt.type_name) == 1:
        stmt.type_name.insert(0, pb.Node(string=pb.String(sval=home)))
    return True


def _within(stmt: pb.RenameStmt, home: str | None) -> None:
    """Say the schema, where only the script's own search_path did."""
    if not home:
        return
    if stmt.HasField("relation"):
        stmt.relation.schemaname = stmt.relation.schemaname or home
    elif len(parts := _parts(stmt.object)) == 1 and not stmt.object.HasField("string"):
        parts.insert(0, pb.Node(string=pb.String(sval=home)))


def _parts(node: pb.Node) -> "RepeatedCompositeFieldContainer[pb.Node]":
    """The parts of a name, which can be changed; nothing if it is no such name."""
    if node.HasField("object_with_args"):
        return node.object_with_args.objname
    if node.HasField("type_name"):
        return node.type_name.names
    return node.list.items
