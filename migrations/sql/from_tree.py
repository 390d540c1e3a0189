"""A parse tree as actions."""

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb
from postgast.walk import unwrap_node

from migrations.sql import actions as a
from migrations.sql import from_data, from_objects, from_session, from_tables, secrets
from migrations.sql.search_path import SearchPath

Maker = Callable[[Any], Iterator[a.Action]]

_MAKERS: dict[type[Message], Maker] = {
    pb.CreateStmt: from_tables.create_table,
    pb.CreateTableAsStmt: from_tables.create_table_as,
    pb.IndexStmt: from_tables.create_index,
    pb.AlterTableStmt: from_tables.alter_table,
    pb.DropStmt: from_objects.drop,
    pb.DropdbStmt: from_objects.drop_database,
    pb.DropTableSpaceStmt: from_objects.drop_tablespace,
    pb.DropSubscriptionStmt: from_objects.drop_subscription,
    pb.DropRoleStmt: from_objects.drop_role,
    pb.DropOwnedStmt: from_objects.drop_owned,
    pb.RenameStmt: from_objects.rename,
    pb.AlterObjectSchemaStmt: from_objects.move,
    pb.AlterDomainStmt: from_objects.alter_domain,
    pb.AlterEnumStmt: from_objects.alter_enum,
    pb.CreateEnumStmt: from_objects.create_type,
    pb.CreateRangeStmt: from_objects.create_type,
    pb.CompositeTypeStmt: from_objects.create_composite,
    pb.CreateDomainStmt: from_objects.create_domain,
    pb.CreateSchemaStmt: from_objects.create_schema,
    pb.ViewStmt: from_objects.create_view,
    pb.CreateSeqStmt: from_objects.create_sequence,
    pb.AlterSeqStmt: from_objects.alter_sequence,
    pb.CreateForeignTableStmt: from_objects.create_foreign_table,
    pb.CreateStatsStmt: from_objects.create_statistics,
    pb.CreatePublicationStmt: from_objects.publish,
    pb.AlterPublicationStmt: from_objects.publish,
    pb.CommentStmt: from_objects.comment,
    pb.SecLabelStmt: from_objects.comment,
    pb.AlterPolicyStmt: from_objects.alter_policy,
    pb.ReassignOwnedStmt: from_objects.reassign_owned,
    pb.AlterExtensionContentsStmt: from_objects.alter_extension_contents,
    pb.CreateFunctionStmt: from_objects.create_function,
    pb.CreateExtensionStmt: from_objects.create_extension,
    pb.CreateTrigStmt: from_objects.create_trigger,
    pb.CreatePolicyStmt: from_objects.create_policy,
    pb.RuleStmt: from_objects.create_rule,
    pb.CreatedbStmt: from_objects.create_database,
    pb.CreateTableSpaceStmt: from_objects.create_tablespace,
    pb.AlterDatabaseStmt: from_objects.alter_database,
    pb.CreateSubscriptionStmt: from_objects.create_subscription,
    pb.AlterSubscriptionStmt: from_objects.alter_subscription,
    pb.CreateRoleStmt: from_objects.role,
    pb.AlterRoleStmt: from_objects.role,
    pb.CreateUserMappingStmt: from_objects.user_mapping,
    pb.AlterUserMappingStmt: from_objects.user_mapping,
    pb.CreateForeignServerStmt: from_objects.server,
    pb.AlterForeignServerStmt: from_objects.server,
    pb.SelectStmt: from_data.select,
    pb.InsertStmt: from_data.insert,
    pb.UpdateStmt: from_data.update,
    pb.DeleteStmt: from_data.delete,
    pb.MergeStmt: from_data.merge,
    pb.TruncateStmt: from_data.truncate,
    pb.CopyStmt: from_data.copy,
    pb.VariableSetStmt: from_session.set_variable,
    pb.TransactionStmt: from_session.transaction,
    pb.DiscardStmt: from_session.discard,
    pb.DoStmt: from_session.run_code,
    pb.CallStmt: from_session.call,
    pb.ExecuteStmt: from_session.execute,
    pb.LockStmt: from_session.lock_table,
    pb.ReindexStmt: from_session.reindex,
    pb.VacuumStmt: from_session.vacuum,
    pb.ClusterStmt: from_session.cluster,
    pb.RefreshMatViewStmt: from_session.refresh,
    pb.AlterSystemStmt: from_session.alter_system,
    pb.AlterDatabaseSetStmt: secrets.setting_of,
    pb.AlterRoleSetStmt: secrets.setting_of,
}

_OTHERS: dict[type[Message], str] = {
    pb.AlterCollationStmt: "alter collation",
    pb.AlterDefaultPrivilegesStmt: "alter default privileges",
    pb.AlterEventTrigStmt: "alter event trigger",
    pb.AlterExtensionStmt: "alter extension",
    pb.AlterFunctionStmt: "alter function",
    pb.AlterObjectDependsStmt: "alter dependencies",
    pb.AlterFdwStmt: "alter foreign data wrapper",
    pb.AlterOpFamilyStmt: "alter operator family",
    pb.AlterOperatorStmt: "alter operator",
    pb.AlterOwnerStmt: "alter owner",
    pb.AlterStatsStmt: "alter statistics",
    pb.AlterTSConfigurationStmt: "alter text search configuration",
    pb.AlterTSDictionaryStmt: "alter text search dictionary",
    pb.AlterTypeStmt: "alter type",
    pb.CheckPointStmt: "checkpoint",
    pb.ClosePortalStmt: "close cursor",
    pb.ConstraintsSetStmt: "set constraints",
    pb.CreateAmStmt: "create access method",
    pb.CreateCastStmt: "create cast",
    pb.CreateConversionStmt: "create conversion",
    pb.CreateEventTrigStmt: "create event trigger",
    pb.CreateFdwStmt: "create foreign data wrapper",
    pb.CreateOpClassStmt: "create operator class",
    pb.CreateOpFamilyStmt: "create operator family",
    pb.CreatePLangStmt: "create language",
    pb.CreateTransformStmt: "create transform",
    pb.DeallocateStmt: "deallocate",
    pb.DefineStmt: "define",
    pb.DropUserMappingStmt: "drop user mapping",
    pb.FetchStmt: "fetch",
    pb.GrantRoleStmt: "grant role",
    pb.GrantStmt: "grant",
    pb.ImportForeignSchemaStmt: "import foreign schema",
    pb.ListenStmt: "listen",
    pb.NotifyStmt: "notify",
    pb.PrepareStmt: "prepare",
    pb.UnlistenStmt: "unlisten",
    pb.VariableShowStmt: "show",
}


def actions_of(node: pb.Node, text: str) -> tuple[a.Action, ...]:
    """What a statement does, by its tree and its text. Never empty."""
    return (*_actions_of(node), *secrets.secrets_in(text, node))


def _actions_of(node: pb.Node) -> tuple[a.Action, ...]:
    stmt = unwrap_node(node)
    make = _MAKERS.get(type(stmt))
    if make is None:
        what = _OTHERS.get(type(stmt))
        return (a.Other(what) if what else a.Unknown(f"{type(stmt).__name__} is not known to gonogo"),)
    return (*from_data.data_within(stmt), *make(stmt), *_elements(stmt))


def _elements(stmt: Message) -> Iterator[a.Action]:
    """What a CREATE SCHEMA makes in it."""
    if isinstance(stmt, pb.CreateSchemaStmt) and stmt.schema_elts:
        path = SearchPath()
        path.resolved((a.Set("search_path", stmt.schemaname or stmt.authrole.rolename),))
        for node in stmt.schema_elts:
            yield from path.resolved(_actions_of(node))
