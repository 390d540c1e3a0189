"""What a statement does, in one plain line."""

import re
from collections.abc import Sequence

from migrations.sql import actions as a
from migrations.sql.facts import table_of
from migrations.sql.names import Name, printable, shown
from migrations.sql.parse import NotReadable, scanned

WIDTH = 80
_LOOKED_AT = 1000
"""Characters of a statement that its one-liner is made of."""

_MAY_BE_SECRET = re.compile("password|secret|://", re.IGNORECASE)

_AS_WRITTEN = (
    *(a.Query, a.Other, a.Unknown, a.AlterRelation, a.Comment, a.Publish, a.CreateStatistics, a.ReassignOwned),
)
"""What its own text says best."""

Part = tuple[str, str]
"""What is done, and the word between it and the table (`add column a integer`, `to`)."""


def summary_of(actions: Sequence[a.Action], text: str) -> str:
    """One line of at most 80 characters. Of a statement that gives a secret, only what our own words say."""
    secret = any(isinstance(action, a.SecretGiven) for action in actions)
    if not secret and any(isinstance(action, _AS_WRITTEN) for action in actions):
        return plain_line(text)
    return cut(_words(actions))


def plain_line(text: str) -> str:
    """A statement's own text in one line, without comments."""
    line = _bare(text[:_LOOKED_AT])
    if _MAY_BE_SECRET.search(line):
        line = re.split(r"['$]", line, maxsplit=1)[0]
    return cut(line)


def _bare(text: str) -> str:
    """The text without comments; as it is from where it cannot be cut into words, as in the middle of a quoted text."""
    try:
        places = scanned(text)
    except NotReadable as error:
        at = error.offset or 0
        return _bare(text[:at]) + text[at:] if 0 < at < len(text) else text
    starts = [start for start, _, _ in places]
    return "".join(
        text[start:end] + " " * (following > end)
        for (start, end, _), following in zip(places, [*starts[1:], len(text)], strict=False)
    )


def cut(text: str) -> str:
    """In one line of at most 80 characters, without control codes."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= WIDTH else line[: WIDTH - 1].rstrip() + "…"


def _words(actions: Sequence[a.Action]) -> str:
    parts = [(_part(action), table_of(action)) for action in actions]
    tables = {table for _, table in parts}
    (_, joint), table = parts[0]
    if len(parts) > 1 and len(tables) == 1 and table and joint:
        return f"alter {table}: {', '.join(part for (part, _), _ in parts)}"
    return ", ".join(_joined(part, table) for part, table in parts)


def _joined(part: Part, table: Name | None) -> str:
    words, joint = part
    return f"{words} {joint} {table}" if joint and table else words


def _part(action: a.Action) -> Part:
    return _column_part(action) or _table_part(action) or _object_part(action) or _row_part(action) or _rest(action)


def _column_part(action: a.Action) -> Part | None:
    match action:
        case a.AddColumn(column=column):
            return f"add column {shown(column.name)} {column.type}" + " not null" * column.not_null, "to"
        case a.DropColumn(column=column, cascade=cascade):
            return f"drop column {shown(column)}" + " and what depends on it" * cascade, "of"
        case a.AlterType(column=column, type=type):
            return f"change the type of column {shown(column)} to {type}", "of"
        case a.SetNotNull(column=column):
            return f"forbid null in column {shown(column)}", "of"
        case a.DropNotNull(column=column):
            return f"allow null in column {shown(column)}", "of"
        case a.SetDefault(column=column, dropped=dropped):
            return f"{'drop' if dropped else 'set'} the default of column {shown(column)}", "of"
        case a.Rename(kind="column", old=old, new=new):
            return f"rename column {shown(old or '?')} to {shown(new)}", "of"
    return None


def _table_part(action: a.Action) -> Part | None:
    match action:
        case a.CreateTable(table=table, filled=filled, partition_of=parent):
            tail = " from a query" if filled else f" as a partition of {parent}" if parent else ""
            return f"create table {table}{tail}", ""
        case a.AddConstraint(constraint=constraint):
            return _constraint(constraint), "to"
        case a.ValidateConstraint(constraint=name):
            return f"validate constraint {shown(name)}", "of"
        case a.DropConstraint(constraint=name):
            return f"drop constraint {shown(name)}", "of"
        case a.AlterTable(what=what, name=name):
            return f"{what} {shown(name)}" if name else what, "on"
        case a.AttachPartition(partition=partition):
            return f"attach partition {partition}", "to"
        case a.DetachPartition(partition=partition):
            return f"detach partition {partition}" + _concurrently(action), "from"
        case a.CreateIndex(table=table, index=index, unique=unique, columns=columns):
            what = f"create {'unique ' * unique}index {shown(index.name) if index else ''}".rstrip()
            return f"{what}{_concurrently(action)} on {table} ({', '.join(map(shown, columns))})", ""
        case a.LockTable(mode=mode):
            return f"take a lock ({mode})", "on"
    return None


def _constraint(constraint: a.Constraint) -> str:
    words = f"add {constraint.kind}"
    if constraint.columns:
        words += f" on {', '.join(shown(column) for column in constraint.columns)}"
    elif constraint.name:
        words += f" {shown(constraint.name)}"
    if constraint.references:
        words += f" referencing {constraint.references}"
    return words + " without checking it yet" * constraint.not_valid


def _concurrently(action: a.CreateIndex | a.DetachPartition | a.Drop | a.Reindex | a.Maintain) -> str:
    return " concurrently" if action.concurrently else ""


def _object_part(action: a.Action) -> Part | None:
    match action:
        case a.Create(kind=kind, name=name):
            return f"create {kind} {name}", ""
        case a.Drop(kind=kind, name=name, cascade=cascade):
            return f"drop {kind} {name}{_concurrently(action)}" + " and what depends on it" * cascade, ""
        case a.Rename(kind=kind, table=table, old=None, new=new):
            return f"rename {kind} {table} to {shown(new)}", ""
        case a.Rename(kind=kind, old=old, new=new):
            return f"rename {kind} {shown(old or '?')} to {shown(new)}", "of"
        case a.MoveToSchema(kind=kind, name=name, schema=schema):
            return f"move {kind} {name} to schema {shown(schema)}", ""
        case a.AlterDomain(domain=domain, what=what, constraint=name):
            return (f"{what} {shown(name)}" if name else what) + f" of domain {domain}", ""
        case a.AddEnumValue(type=type, value=value):
            return f"add value {value!r} to type {type}", ""
    return None


def _row_part(action: a.Action) -> Part | None:
    match action:
        case a.Truncate(cascade=cascade):
            return "delete all rows" + " (and of all tables that reference it)" * cascade, "of"
        case a.Insert(rows=0):
            return "insert rows from a query", "into"
        case a.Insert(rows=rows):
            return f"insert {rows} row{'s' * (rows != 1)}", "into"
        case a.Update(columns=columns, everything=everything):
            what = ", ".join(shown(column) for column in columns)
            return f"update {what} in {'all' if everything else 'some'} rows", "of"
        case a.Delete(everything=everything):
            return f"delete {'all' if everything else 'some'} rows", "of"
        case a.Merge():
            return "merge rows", "into"
        case a.Copy(into=into):
            return ("load rows", "into") if into else ("unload rows", "of")
    return None


def _rest(action: a.Action) -> Part:
    match action:
        case a.Set(setting=setting, value=value, local=local):
            until = " for this transaction" if local else ""
            if setting == "*":
                return "reset all settings", ""
            return (f"reset {setting}" if value is None else f"set {setting} to {value or repr('')}{until}"), ""
        case a.Transaction(kind="savepoint" | "release" | "rollback to" as kind, name=name):
            return f"{kind} {name}" if kind == "savepoint" else f"{kind} savepoint {name}", ""
        case a.Transaction(kind=kind, chain=chain):
            return ("set how this transaction behaves" if kind == "set" else kind + " and begin anew" * chain), ""
        case a.RunCode(language=language, body=body):
            lines = len(body.strip().splitlines())
            return f"run {lines} line{'s' * (lines != 1)} of {language}", ""
        case a.Call(name=name):
            return f"run {name}", ""
        case a.SecretGiven(where=where):
            return f"set {where}", ""
        case a.Query():
            return "run a query", ""
        case a.Reindex(kind=kind, name=name):
            return f"rebuild the indexes of {kind} {name or ''}".rstrip() + _concurrently(action), ""
        case a.Maintain(what=what, table=table):
            return f"{what} {table or ''}".rstrip() + _concurrently(action), ""
        case a.Other(what=what):
            return what, ""
        case _:
            return type(action).__name__.lower(), ""
