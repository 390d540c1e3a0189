"""Everything else that has a name: made, dropped, renamed, moved."""

from collections.abc import Iterable, Iterator

from postgast import pg_query_pb2 as pb

from migrations.sql import actions as a
from migrations.sql.names import Name, shown
from migrations.sql.tree import (
    calls_in,
    name_from,
    name_of,
    object_words,
    option,
    qualified,
    relations_in,
    strings,
    switched_on,
    text_of,
)

_OF_DOMAIN = {
    "C": "add constraint",
    "N": "drop not null",
    "O": "set not null",
    "T": "set default",
    "V": "validate constraint",
    "X": "drop constraint",
}
_WITH_A_TABLE = (pb.OBJECT_TRIGGER, pb.OBJECT_POLICY, pb.OBJECT_RULE)


def drop(stmt: pb.DropStmt) -> Iterator[a.Action]:
    """DROP of most kinds. Of a trigger, policy or rule the table is named too."""
    kind = object_words(stmt.remove_type)
    for node in stmt.objects:
        if stmt.remove_type in _WITH_A_TABLE:
            parts = strings(node.list.items)
            yield a.AlterTable(qualified(parts[:-1]), f"drop {kind}", parts[-1])
        else:
            yield a.Drop(
                kind,
                name_from(node),
                cascade=stmt.behavior == pb.DROP_CASCADE,
                if_exists=stmt.missing_ok,
                concurrently=stmt.concurrent,
                alone=stmt.concurrent,
            )


def drop_database(stmt: pb.DropdbStmt) -> Iterator[a.Action]:
    """DROP DATABASE."""
    yield a.Drop("database", Name(None, stmt.dbname), if_exists=stmt.missing_ok, alone=True)


def drop_tablespace(stmt: pb.DropTableSpaceStmt) -> Iterator[a.Action]:
    """DROP TABLESPACE."""
    yield a.Drop("tablespace", Name(None, stmt.tablespacename), if_exists=stmt.missing_ok, alone=True)


def drop_subscription(stmt: pb.DropSubscriptionStmt) -> Iterator[a.Action]:
    """DROP SUBSCRIPTION, which removes a slot elsewhere and so cannot be undone."""
    yield a.Drop("subscription", Name(None, stmt.subname), if_exists=stmt.missing_ok, alone=True)


def drop_role(stmt: pb.DropRoleStmt) -> Iterator[a.Action]:
    """DROP ROLE, USER, GROUP."""
    for node in stmt.roles:
        yield a.Drop("role", Name(None, node.role_spec.rolename), if_exists=stmt.missing_ok)


def drop_owned(stmt: pb.DropOwnedStmt) -> Iterator[a.Action]:
    """DROP OWNED BY."""
    for node in stmt.roles:
        yield a.Drop(
            "all that is owned by", Name(None, node.role_spec.rolename), cascade=stmt.behavior == pb.DROP_CASCADE
        )


def rename(stmt: pb.RenameStmt) -> Iterator[a.Action]:
    """ALTER … RENAME."""
    kind = object_words(stmt.rename_type)
    if stmt.HasField("relation"):
        within = object_words(stmt.relation_type) if kind in ("column", "attribute") else ""
        only = not stmt.relation.inh
        yield a.Rename(kind, name_of(stmt.relation), stmt.subname or None, stmt.newname, within, only)
    elif stmt.HasField("object"):
        yield a.Rename(kind, name_from(stmt.object), stmt.subname or None, stmt.newname)
    else:
        yield a.Rename(kind, Name(None, stmt.subname), None, stmt.newname)


def move(stmt: pb.AlterObjectSchemaStmt) -> Iterator[a.Action]:
    """ALTER … SET SCHEMA."""
    name = name_of(stmt.relation) if stmt.HasField("relation") else name_from(stmt.object)
    yield a.MoveToSchema(object_words(stmt.object_type), name, stmt.newschema)


def alter_domain(stmt: pb.AlterDomainStmt) -> Iterator[a.Action]:
    """ALTER DOMAIN. The server knows its forms by a letter."""
    constraint = getattr(stmt, "def").constraint  # the field's name is a word of Python's
    yield a.AlterDomain(
        qualified(strings(stmt.type_name)),
        _OF_DOMAIN.get(stmt.subtype, "alter"),
        stmt.name or constraint.conname or None,
        not_valid=constraint.skip_validation,
    )


def alter_enum(stmt: pb.AlterEnumStmt) -> Iterator[a.Action]:
    """ALTER TYPE … ADD VALUE, RENAME VALUE."""
    name = qualified(strings(stmt.type_name))
    if stmt.old_val:
        yield a.Rename("enum value", name, stmt.old_val, stmt.new_val)
    else:
        yield a.AddEnumValue(name, stmt.new_val)


def create_type(stmt: pb.CreateEnumStmt | pb.CreateRangeStmt) -> Iterator[a.Action]:
    """CREATE TYPE … AS ENUM, AS RANGE."""
    yield a.Create("type", qualified(strings(stmt.type_name)))


def create_composite(stmt: pb.CompositeTypeStmt) -> Iterator[a.Action]:
    """CREATE TYPE … AS (…)."""
    yield a.Create("type", name_of(stmt.typevar))


def create_domain(stmt: pb.CreateDomainStmt) -> Iterator[a.Action]:
    """CREATE DOMAIN."""
    parts = [node.constraint for node in stmt.constraints]
    checked = any(part.contype in (pb.CONSTR_CHECK, pb.CONSTR_NOTNULL) for part in parts)
    calls = (name for part in parts if part.contype == pb.CONSTR_DEFAULT for name in calls_in(part.raw_expr))
    default = tuple(name.name for name in calls)
    yield a.Create("domain", qualified(strings(stmt.domainname)), checked=checked, default=default)


def create_schema(stmt: pb.CreateSchemaStmt) -> Iterator[a.Action]:
    """CREATE SCHEMA."""
    yield a.Create("schema", Name(None, stmt.schemaname or stmt.authrole.rolename), replace=stmt.if_not_exists)


def create_view(stmt: pb.ViewStmt) -> Iterator[a.Action]:
    """CREATE VIEW."""
    yield a.Create("view", name_of(stmt.view), replace=stmt.replace, reads=relations_in(stmt.query))


def create_sequence(stmt: pb.CreateSeqStmt) -> Iterator[a.Action]:
    """CREATE SEQUENCE."""
    yield a.Create("sequence", name_of(stmt.sequence), reads=_owners(stmt.options))


def alter_sequence(stmt: pb.AlterSeqStmt) -> Iterator[a.Action]:
    """ALTER SEQUENCE."""
    yield a.AlterRelation("sequence", name_of(stmt.sequence), "set values", tables=_owners(stmt.options))


def _owners(options: Iterable[pb.Node]) -> tuple[Name, ...]:
    """The table that owns a sequence, of OWNED BY."""
    parts = next((strings(n.def_elem.arg.list.items) for n in options if n.def_elem.defname == "owned_by"), [])
    return (qualified(parts[:-1]),) if len(parts) > 1 else ()


def create_foreign_table(stmt: pb.CreateForeignTableStmt) -> Iterator[a.Action]:
    """CREATE FOREIGN TABLE."""
    yield a.Create("foreign table", name_of(stmt.base_stmt.relation))


def create_statistics(stmt: pb.CreateStatsStmt) -> Iterator[a.Action]:
    """CREATE STATISTICS."""
    name = qualified(strings(stmt.defnames)) if stmt.defnames else None
    for node in stmt.relations:
        yield a.CreateStatistics(name, name_of(node.range_var))


def publish(stmt: pb.CreatePublicationStmt | pb.AlterPublicationStmt) -> Iterator[a.Action]:
    """CREATE PUBLICATION, ALTER PUBLICATION."""
    parts = [node.publication_obj_spec for node in stmt.pubobjects]
    tables = tuple(name_of(part.pubtable.relation) for part in parts if part.HasField("pubtable"))
    replaces = isinstance(stmt, pb.AlterPublicationStmt) and stmt.action == pb.AP_SetObjects
    yield a.Publish(stmt.pubname, tables, replaces=replaces and bool(parts))


def comment(stmt: pb.CommentStmt | pb.SecLabelStmt) -> Iterator[a.Action]:
    """COMMENT ON, SECURITY LABEL. Of what a table holds, that table is named."""
    name = name_from(stmt.object)
    if stmt.objtype in (pb.OBJECT_COLUMN, pb.OBJECT_TABCONSTRAINT, *_WITH_A_TABLE):
        name = qualified(strings(stmt.object.list.items)[:-1])
    yield a.Comment(object_words(stmt.objtype), name)


def alter_policy(stmt: pb.AlterPolicyStmt) -> Iterator[a.Action]:
    """ALTER POLICY."""
    yield a.AlterTable(name_of(stmt.table), "alter policy", stmt.policy_name, tables=relations_in(stmt))


def reassign_owned(stmt: pb.ReassignOwnedStmt) -> Iterator[a.Action]:
    """REASSIGN OWNED BY."""
    for node in stmt.roles:
        yield a.ReassignOwned(node.role_spec.rolename)


def alter_extension_contents(stmt: pb.AlterExtensionContentsStmt) -> Iterator[a.Action]:
    """ALTER EXTENSION … ADD, DROP: locks what it is about as a comment does."""
    yield a.Comment(object_words(stmt.objtype), name_from(stmt.object))


def create_function(stmt: pb.CreateFunctionStmt) -> Iterator[a.Action]:
    """CREATE FUNCTION, CREATE PROCEDURE."""
    kind = "procedure" if stmt.is_procedure else "function"
    yield a.Create(kind, qualified(strings(stmt.funcname)), replace=stmt.replace)


def create_extension(stmt: pb.CreateExtensionStmt) -> Iterator[a.Action]:
    """CREATE EXTENSION."""
    yield a.Create("extension", Name(None, stmt.extname))


def create_trigger(stmt: pb.CreateTrigStmt) -> Iterator[a.Action]:
    """CREATE TRIGGER."""
    what = "create or replace trigger" if stmt.replace else "create trigger"
    yield a.AlterTable(name_of(stmt.relation), what, stmt.trigname)


def create_policy(stmt: pb.CreatePolicyStmt) -> Iterator[a.Action]:
    """CREATE POLICY."""
    yield a.AlterTable(name_of(stmt.table), "create policy", stmt.policy_name, tables=relations_in(stmt.qual))


def create_rule(stmt: pb.RuleStmt) -> Iterator[a.Action]:
    """CREATE RULE."""
    yield a.AlterTable(name_of(stmt.relation), "create rule", stmt.rulename)


def create_database(stmt: pb.CreatedbStmt) -> Iterator[a.Action]:
    """CREATE DATABASE."""
    yield a.Create("database", Name(None, stmt.dbname), alone=True)


def create_tablespace(stmt: pb.CreateTableSpaceStmt) -> Iterator[a.Action]:
    """CREATE TABLESPACE."""
    yield a.Create("tablespace", Name(None, stmt.tablespacename), alone=True)


def alter_database(stmt: pb.AlterDatabaseStmt) -> Iterator[a.Action]:
    """ALTER DATABASE: only its SET TABLESPACE must stand alone."""
    moves = option(stmt.options, "tablespace") is not None
    yield a.Other(f"alter database {stmt.dbname}", alone=moves)


def create_subscription(stmt: pb.CreateSubscriptionStmt) -> Iterator[a.Action]:
    """CREATE SUBSCRIPTION: makes a slot elsewhere, unless told not to."""
    slot = option(stmt.options, "create_slot")
    connects = option(stmt.options, "connect")
    off = ("false", "off", "0", "no")
    alone = not (slot is not None and slot.lower() in off) and not (connects is not None and connects.lower() in off)
    yield a.Create("subscription", Name(None, stmt.subname), alone=alone)
    if "password" in stmt.conninfo.lower():
        yield a.SecretGiven(f"the connection string of subscription {shown(stmt.subname)}")


def alter_subscription(stmt: pb.AlterSubscriptionStmt) -> Iterator[a.Action]:
    """ALTER SUBSCRIPTION: what refreshes cannot be in a transaction."""
    adds = stmt.kind in (
        pb.ALTER_SUBSCRIPTION_ADD_PUBLICATION,
        pb.ALTER_SUBSCRIPTION_DROP_PUBLICATION,
        pb.ALTER_SUBSCRIPTION_SET_PUBLICATION,
    )
    refreshes = adds and (option(stmt.options, "refresh") is None or switched_on(stmt.options, "refresh"))
    yield a.Other(f"alter subscription {stmt.subname}", alone=refreshes or stmt.kind == pb.ALTER_SUBSCRIPTION_REFRESH)
    if "password" in stmt.conninfo.lower():
        yield a.SecretGiven(f"the connection string of subscription {shown(stmt.subname)}")


def role(stmt: pb.CreateRoleStmt | pb.AlterRoleStmt) -> Iterator[a.Action]:
    """CREATE ROLE, ALTER ROLE; their text may hold a password."""
    made = isinstance(stmt, pb.CreateRoleStmt)
    name = stmt.role if isinstance(stmt, pb.CreateRoleStmt) else stmt.role.rolename
    yield a.Create("role", Name(None, name)) if made else a.Other(f"alter role {name}")
    for node in stmt.options:
        if node.def_elem.defname == "password" and (secret := text_of(node.def_elem.arg)):
            yield a.SecretGiven(
                f"the password of role {shown(name or 'current_user')}", hashed=secret.startswith("SCRAM-SHA-256$")
            )


def user_mapping(stmt: pb.CreateUserMappingStmt | pb.AlterUserMappingStmt) -> Iterator[a.Action]:
    """CREATE USER MAPPING, ALTER USER MAPPING."""
    yield a.Other(f"user mapping for server {stmt.servername}")
    yield from _password(stmt.options, f"the user mapping for server {shown(stmt.servername)}")


def server(stmt: pb.CreateForeignServerStmt | pb.AlterForeignServerStmt) -> Iterator[a.Action]:
    """CREATE SERVER, ALTER SERVER: whoever may look into the catalog sees their options."""
    yield a.Other("create server" if isinstance(stmt, pb.CreateForeignServerStmt) else "alter server")
    yield from _password(stmt.options, f"the options of server {shown(stmt.servername)}")


def _password(options: Iterable[pb.Node], where: str) -> Iterator[a.SecretGiven]:
    given = (option([node], node.def_elem.defname) for node in options if "passw" in node.def_elem.defname.lower())
    if any(given):
        yield a.SecretGiven(where)
