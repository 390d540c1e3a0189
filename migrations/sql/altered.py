"""Which tables are other than before once some statements have run: made, changed in their shape, or in their rows."""

from collections.abc import Iterable

from migrations.sql import actions as a
from migrations.sql.names import Key, Name

_ALTERING = (
    *(a.AddColumn, a.DropColumn, a.AlterType, a.SetNotNull, a.DropNotNull, a.SetDefault),
    *(a.AddConstraint, a.ValidateConstraint, a.DropConstraint, a.AlterTable, a.AttachPartition, a.DetachPartition),
    *(a.Truncate, a.Insert, a.Update, a.Delete, a.Merge),
)


def altered(actions: Iterable[a.Action]) -> tuple[Name, ...]:
    """The tables that are there afterwards, by the names that they have then. Indexes and comments alter none."""
    found: dict[Key, Name] = {}
    temporary = set[Key]()
    for action in actions:
        match action:
            case a.CreateTable(table=table, temporary=True):
                temporary.add(table.key)
            case a.CreateTable(table=table) | a.Copy(table=Name() as table, into=True):
                found[table.key] = table
            case a.Drop(kind="table", name=name):
                found.pop(name.key, None)
            case a.Rename(kind="table", table=table, old=None, new=new):
                found.pop(table.key, None)
                renamed = table._replace(name=new)
                found[renamed.key] = renamed
            case a.Rename(within="table", table=table):
                found[table.key] = table
            case a.MoveToSchema(kind="table", name=name, schema=schema):
                found.pop(name.key, None)
                moved = Name(schema, name.name)
                found[moved.key] = moved
            case _ if isinstance(action, _ALTERING):
                found[action.table.key] = action.table
    return tuple(name for key, name in found.items() if key not in temporary)
