"""What two scripts have in common, whoever wrote them: each thing that they do, in one form of words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from postgast import PgQueryError, deparse
from postgast import pg_query_pb2 as pb
from postgast.walk import walk

from migrations.sql.parse import NotReadable, parse_one
from migrations.sql.script import Script

_MANNERS = ("concurrent", "if_not_exists", "missing_ok")
"""How a thing is done, or whether it may be done already: not what it is."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a statement does: a statement, or one of the changes of an ALTER TABLE. `line` counts from 1."""

    line: int
    form: str


def parts(script: Script, schema: str = "public") -> list[Part]:
    """Everything that it does, in order. Names in `schema` are as those without one."""
    return [Part(one.line, form) for one in script.statements for form in _forms(one.text, schema)]


def lacking(ours: Iterable[Part], others: Iterable[Part]) -> list[Part]:
    """What stands among ours, and not, or not as often, among the others."""
    there = Counter(part.form for part in others)
    left = list[Part]()
    for part in ours:
        if there[part.form]:
            there[part.form] -= 1
        else:
            left.append(part)
    return left


def _forms(text: str, schema: str) -> Iterator[str]:
    try:
        tree = parse_one(text)
        _without_manners(tree, schema)
        yield from [deparse(pb.ParseResult(stmts=[pb.RawStmt(stmt=one)])) for one in _each(tree)]
    except (NotReadable, PgQueryError):
        yield " ".join(text.split())


def _without_manners(tree: pb.Node, schema: str) -> None:
    for _, node in walk(tree):
        for name in _MANNERS:
            if name in node.DESCRIPTOR.fields_by_name:
                setattr(node, name, False)
        if isinstance(node, pb.RangeVar) and node.schemaname == schema:
            node.schemaname = ""


def _each(tree: pb.Node) -> Iterator[pb.Node]:
    """The changes of an ALTER TABLE one by one; any other statement is one thing."""
    if not tree.HasField("alter_table_stmt"):
        yield tree
        return
    for change in list(tree.alter_table_stmt.cmds):
        one = pb.Node()
        one.CopyFrom(tree)
        del one.alter_table_stmt.cmds[:]
        one.alter_table_stmt.cmds.append(change)
        yield one
